namespace Millrace.Network.Access;

/// <summary>What a client may do, as the bit fields of Kafka's answers: bit n stands for <see cref="Operation"/> n.</summary>
internal static class AuthorizedOperations
{
    /// <summary>Kafka's mark for "not asked for".</summary>
    public const int Unknown = int.MinValue;

    private static readonly Operation[] OnTopics =
    [
        Operation.Read, Operation.Write, Operation.Create, Operation.Delete, Operation.Alter, Operation.Describe,
        Operation.DescribeConfigs, Operation.AlterConfigs,
    ];

    private static readonly Operation[] OnClusters =
    [
        Operation.Create, Operation.Alter, Operation.Describe, Operation.ClusterAction, Operation.DescribeConfigs, Operation.AlterConfigs,
        Operation.IdempotentWrite,
    ];

    private static readonly Operation[] OnGroups =
        [Operation.Read, Operation.Delete, Operation.Describe, Operation.DescribeConfigs, Operation.AlterConfigs];

    public static int OnTopic(AccessCheck access, string name) => Of(access, OnTopics, ResourceKind.Topic, name);

    public static int OnGroup(AccessCheck access, string name) => Of(access, OnGroups, ResourceKind.Group, name);

    public static int OnCluster(AccessCheck access) => Of(access, OnClusters, ResourceKind.Cluster, AccessCheck.ClusterName);

    private static int Of(AccessCheck access, Operation[] operations, ResourceKind kind, string name)
    {
        var allowed = 0;
        foreach (var operation in operations)
        {
            allowed |= access.Allows(operation, kind, name) ? 1 << (int)operation : 0;
        }

        return allowed;
    }
}
