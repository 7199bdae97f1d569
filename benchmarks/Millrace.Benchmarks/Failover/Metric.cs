using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Failover;

/// <summary>One value of those that a broker shows at <c>/metrics</c>.</summary>
/// <param name="Name">As it stands there.</param>
/// <param name="Labels">As they stand there, between braces.</param>
/// <param name="Value">Its value.</param>
internal sealed partial record Metric(string Name, string Labels, double Value)
{
    private static readonly HttpClient Client = new();

    /// <summary>All of a broker.</summary>
    /// <param name="http">Where its HTTP is.</param>
    public static IEnumerable<Metric> Read(Uri http) => Line()
        .Matches(Client.GetStringAsync(new Uri(http, "/metrics")).GetAwaiter().GetResult())
        .Select(match => new Metric(
            match.Groups["name"].Value,
            match.Groups["labels"].Value,
            match.Groups["value"].Value == "+Inf" ? double.PositiveInfinity : double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture)));

    /// <summary>The value of one of its labels; empty if it has none of that name.</summary>
    public string Label(string name) =>
        Labels.Split(',').FirstOrDefault(label => label.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..].Trim('"') ?? "";

    [GeneratedRegex("""^(?<name>\w+)(\{(?<labels>[^}]*)\})? (?<value>\S+)""", RegexOptions.Multiline)]
    private static partial Regex Line();
}
