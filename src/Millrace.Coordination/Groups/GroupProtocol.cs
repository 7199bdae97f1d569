namespace Millrace.Coordination.Groups;

/// <summary>An assignment strategy that a member supports, with what the member tells the leader under it. The bytes are the group's own.</summary>
public readonly record struct GroupProtocol(string Name, ReadOnlyMemory<byte> Metadata);
