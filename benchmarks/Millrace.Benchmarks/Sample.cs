namespace Millrace.Benchmarks;

/// <summary>Values of one kind, of which a table tells some.</summary>
internal sealed class Sample(IEnumerable<double> values)
{
    private readonly double[] _ascending = [.. values.Order()];

    /// <summary>What <see cref="Row"/> stands below.</summary>
    public const string Head = "| | p50 | p90 | p99 | largest | of |\n|---|---|---|---|---|---|";

    /// <summary>The least that so large a share of them is not above; NaN if there are none.</summary>
    public double At(double share) => _ascending.Length == 0
        ? double.NaN
        : _ascending[Math.Clamp((int)Math.Ceiling(_ascending.Length * share) - 1, 0, _ascending.Length - 1)];

    /// <summary>A row of a table in Markdown.</summary>
    public string Row(string what) =>
        FormattableString.Invariant($"| {what} | {At(0.5):F1} | {At(0.9):F1} | {At(0.99):F1} | {At(1):F1} | {_ascending.Length} |");
}
