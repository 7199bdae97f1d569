namespace Millrace.Streams.Wal.Inspection;

/// <summary>Of how long something took.</summary>
public readonly record struct Percentiles(TimeSpan Half, TimeSpan All99)
{
    internal static Percentiles Of(List<TimeSpan> times)
    {
        times.Sort();
        return new(times[times.Count / 2], times[times.Count * 99 / 100]);
    }
}
