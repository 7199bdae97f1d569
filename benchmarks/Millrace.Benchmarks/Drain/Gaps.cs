using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Drain;

/// <summary>The longest times without an answer in some while, in milliseconds.</summary>
/// <param name="Producers">Of each producer, whichever partition answers.</param>
/// <param name="Partitions">Of each partition.</param>
/// <param name="Members">Of each group's commits.</param>
internal sealed record Gaps(List<double> Producers, List<double> Partitions, List<double> Members)
{
    /// <summary>Since this was called before.</summary>
    public static Gaps Take(IReadOnlyCollection<Application> applications, IReadOnlyCollection<CommittingMember> members) => new(
        [.. applications.Select(application => application.LongestGap().TotalMilliseconds)],
        [.. applications.SelectMany(application => application.LongestGaps()).Select(gap => gap.TotalMilliseconds)],
        [.. members.Select(member => member.LongestGap().TotalMilliseconds)]);
}
