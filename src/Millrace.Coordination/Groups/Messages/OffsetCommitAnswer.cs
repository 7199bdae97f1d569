namespace Millrace.Coordination.Groups.Messages;

/// <summary>What became of a commit.</summary>
/// <param name="Error">Of the commit as a whole: then no offset is stored.</param>
/// <param name="Offsets">One for each offset of the command, in its order; empty if the commit failed as a whole.</param>
public sealed record OffsetCommitAnswer(GroupError Error, IReadOnlyList<GroupError> Offsets);
