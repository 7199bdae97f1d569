using System.CommandLine;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Server.Cli.Brokers;

/// <summary>The brokers of a cluster, those that are away too, and what waits for them, as any one of them tells it.</summary>
/// <remarks>Kafka's messages name the live ones. The rest only our own brokers tell, over plain connections; elsewhere it is not known.</remarks>
internal sealed record ClusterView(string ClusterId, int? Controller, IReadOnlyList<BrokerView> Brokers)
{
    /// <summary>Null where they are not known.</summary>
    public IReadOnlyList<WaitingWalView>? WaitingWals { get; init; }

    /// <summary>Topics that ask for a WAL which brokers that live do not have.</summary>
    public IReadOnlyList<UnmetWalView> UnmetWals { get; init; } = [];

    /// <summary>The broker that says so; null where that is not known.</summary>
    public int? AnsweredBy { get; init; }

    /// <summary>Why it is not known what waits for the WALs; null if it is, or if nobody could be asked.</summary>
    public ErrorCode? Untold { get; init; }

    /// <exception cref="KafkaException">No broker answers in time, or the question is refused.</exception>
    public static Task<ClusterView> AskAsync(IAdminClient admin, ClientOptions client, ParseResult result, CancellationToken token) =>
        AskAsync(admin, client.Config(result), () => client.Timeout(result), token);

    /// <param name="admin">Asks what Kafka's messages tell.</param>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="limit">What is left of the time for all of it.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="KafkaException">No broker answers in time, or the question is refused.</exception>
    public static async Task<ClusterView> AskAsync(IAdminClient admin, ClientConfig config, Func<TimeSpan> limit, CancellationToken token)
    {
        var cluster = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = limit() });
        var left = limit();
        var told = await DirectQuestion.AskAsync<DescribeNodesRequest, DescribeNodesResponse>(
            config, new DescribeNodesRequest { TimeoutMs = (int)(left / 2).TotalMilliseconds }, left, token);
        return told switch
        {
            null => new ClusterView(cluster.ClusterId, cluster.Controller?.Id, [.. cluster.Nodes.OrderBy(node => node.Id).Select(View)]),
            { Nodes: [] } => throw new KafkaException((ErrorCode)told.ErrorCode),
            _ => new ClusterView(cluster.ClusterId, told.ControllerId < 0 ? null : told.ControllerId, [.. told.Nodes.Select(View)])
            {
                AnsweredBy = told.AnsweredBy,
                WaitingWals = [.. told.WaitingWals.Select(View)],
                UnmetWals = [.. told.UnmetWals.Select(unmet => new UnmetWalView(unmet.Topic, unmet.Wal, [.. unmet.NodeIds]))],
                Untold = told.ErrorCode == 0 ? null : (ErrorCode)told.ErrorCode,
            },
        };
    }

    /// <summary>The broker of an id or name.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public BrokerView Find(string wanted) =>
        Brokers.FirstOrDefault(broker => broker.Id.ToString(CultureInfo.InvariantCulture) == wanted)
        ?? Brokers.FirstOrDefault(broker => broker.Name == wanted)
        ?? throw new CommandFailedException(
            ExitCode.NotFound, $"There is no broker '{wanted}'; there is {string.Join(", ", Brokers.Select(Named))}.");

    /// <summary>The WAL that a partition waits for; null if it waits for none, or that is not known.</summary>
    public WaitingWalView? WaitsFor(string topic, int partition) => WaitingWals?.FirstOrDefault(wal => wal.Partitions.ContainsKey((topic, partition)));

    private static string Named(BrokerView broker) => broker.Name is null ? $"{broker.Id}" : $"{broker.Id} ({broker.Name})";

    private static BrokerView View(Node node) => new(node.Id, BrokerView.Live, node.Host, node.Port, node.Rack);

    private static BrokerView View(DescribeNodesResponse.Node node) =>
        new(node.NodeId, StateOf(node.State), node.Host, node.Host is null ? null : node.Port, node.Rack)
        {
            Name = node.Name,
            Epoch = node.NodeEpoch,
            Internal = node.Internal,
            Program = node.Program,
            Duty = (BrokerDuty)node.Duty,
            Wals = [.. node.Wals.Select(wal => $"{WalKindName.Of((WalKind)wal.Kind)} {wal.Location}")],
        };

    private static WaitingWalView View(DescribeNodesResponse.WaitingWal wal) =>
        new(
            wal.WalId,
            wal.Location,
            wal.NodeId,
            wal.Partitions.ToDictionary(
                partition => (partition.Topic, partition.Partition),
                partition => new WaitingPartitionView(partition.PlannedTo < 0 ? null : partition.PlannedTo, partition.IsDamaged)));

    private static string StateOf(sbyte state) => (NodeState)state switch
    {
        NodeState.Live => BrokerView.Live,
        NodeState.Stopped => BrokerView.Stopped,
        _ => BrokerView.Fenced,
    };
}
