namespace Millrace.Server.Cli.Diagnosis;

/// <summary>What a look at a broker found.</summary>
/// <param name="Kind">For scripts and comparisons.</param>
/// <param name="Words">For people: what is the case. No full stop at the end.</param>
/// <param name="Advice">What to do about it, in sentences.</param>
internal sealed record Finding(FindingKind Kind, string Words, string Advice = "")
{
    /// <summary>For a command that ends here.</summary>
    public string Message => $"{Words}. {Advice}".TrimEnd();

    public bool IsWell => Kind == FindingKind.Well;

    /// <summary>Nobody has refused, and the time of the look was up: another one may find more.</summary>
    public bool IsOpen { get; init; }

    /// <summary>There is no broker to talk to, for one reason or another.</summary>
    public bool IsWithoutAnswer => Kind is FindingKind.Unreachable or FindingKind.Silent or FindingKind.Foreign;
}
