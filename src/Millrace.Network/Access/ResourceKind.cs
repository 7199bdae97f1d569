namespace Millrace.Network.Access;

/// <summary>What access is granted to. Kafka's numbers (<c>ResourceType</c>).</summary>
internal enum ResourceKind : byte
{
    Topic = 2,
    Group = 3,

    /// <summary>There is one, named <see cref="AccessCheck.ClusterName"/>.</summary>
    Cluster = 4,
    TransactionalId = 5,
}
