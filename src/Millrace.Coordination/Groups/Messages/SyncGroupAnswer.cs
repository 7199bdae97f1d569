namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member's assignment, or why it has none.</summary>
public sealed record SyncGroupAnswer
{
    public GroupError Error { get; init; }

    public string? ProtocolType { get; init; }

    public string? ProtocolName { get; init; }

    public ReadOnlyMemory<byte> Assignment { get; init; }

    public static SyncGroupAnswer Refused(GroupError error) => new() { Error = error };
}
