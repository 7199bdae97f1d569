namespace Millrace.Network.Access;

/// <summary>What can be done to a resource. Kafka's numbers (<c>AclOperation</c>): answers carry them as bits.</summary>
internal enum Operation : byte
{
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}
