namespace Millrace.Broker.Apis.Cluster;

/// <summary>
/// What a client may do, as the bit fields of Kafka's answers: bit n stands for operation n. Without an authorizer it
/// is everything that makes sense for a resource.
/// </summary>
internal static class AuthorizedOperations
{
    private const int Read = 1 << 3;
    private const int Write = 1 << 4;
    private const int Create = 1 << 5;
    private const int Delete = 1 << 6;
    private const int Alter = 1 << 7;
    private const int Describe = 1 << 8;
    private const int ClusterAction = 1 << 9;
    private const int DescribeConfigs = 1 << 10;
    private const int AlterConfigs = 1 << 11;
    private const int IdempotentWrite = 1 << 12;

    public const int Topic = Read | Write | Create | Delete | Alter | Describe | DescribeConfigs | AlterConfigs;

    public const int Cluster = Create | Alter | Describe | ClusterAction | DescribeConfigs | AlterConfigs | IdempotentWrite;

    public const int Group = Read | Delete | Describe | DescribeConfigs | AlterConfigs;

    /// <summary>Kafka's mark for "not asked for".</summary>
    public const int Unknown = int.MinValue;
}
