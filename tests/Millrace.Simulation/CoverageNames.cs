namespace Millrace.Simulation;

/// <summary>The counters that say whether a seed was worth its name.</summary>
public static class CoverageNames
{
    public const string Acknowledged = "operations acknowledged";
    public const string Faults = "faults injected";
}
