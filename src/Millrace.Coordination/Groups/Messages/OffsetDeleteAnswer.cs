namespace Millrace.Coordination.Groups.Messages;

/// <summary>What became of offsets that were to be forgotten.</summary>
/// <param name="Error">Of the whole; then nothing was forgotten.</param>
/// <param name="SubscribedTopics">The topics, among those asked for, that members consume: their offsets stay.</param>
public sealed record OffsetDeleteAnswer(GroupError Error, IReadOnlySet<string> SubscribedTopics)
{
    public static OffsetDeleteAnswer Refused(GroupError error) => new(error, new SortedSet<string>());
}
