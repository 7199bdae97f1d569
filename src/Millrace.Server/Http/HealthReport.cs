namespace Millrace.Server.Http;

/// <summary>What a probe is answered.</summary>
/// <param name="IsGood">What it asked for is the case.</param>
/// <param name="Lines">The verdict, and below it what is amiss with or without bearing on it.</param>
internal sealed record HealthReport(bool IsGood, IReadOnlyList<string> Lines);
