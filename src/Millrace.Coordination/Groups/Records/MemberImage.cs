namespace Millrace.Coordination.Groups.Records;

/// <summary>What the log keeps of a member.</summary>
internal sealed record MemberImage
{
    public required string MemberId { get; init; }

    public string? InstanceId { get; init; }

    public required string ClientId { get; init; }

    public required string ClientHost { get; init; }

    public required TimeSpan RebalanceTimeout { get; init; }

    public required TimeSpan SessionTimeout { get; init; }

    /// <summary>The member's metadata under the group's protocol.</summary>
    public ReadOnlyMemory<byte> Subscription { get; init; }

    public ReadOnlyMemory<byte> Assignment { get; init; }

    public long SizeBound =>
        64 + 3L * (MemberId.Length + (InstanceId?.Length ?? 0) + ClientId.Length + ClientHost.Length) + Subscription.Length + Assignment.Length;
}
