using System.Collections.Frozen;
using System.Globalization;
using Millrace.Metadata.Image;

namespace Millrace.Metadata.Configs;

/// <summary>The broker configs: Kafka's names, types and defaults, for those that mean something here or that topics inherit from.</summary>
public static class BrokerConfigs
{
    public const string AdvertisedListeners = "advertised.listeners";
    public const string AutoCreateTopicsEnable = "auto.create.topics.enable";
    public const string AutoLeaderRebalanceEnable = "auto.leader.rebalance.enable";
    public const string BrokerId = "broker.id";
    public const string BrokerRack = "broker.rack";
    public const string ConnectionsMaxIdleMs = "connections.max.idle.ms";
    public const string ControllerListenerNames = "controller.listener.names";
    public const string CordonedLogDirs = "cordoned.log.dirs";
    public const string DefaultReplicationFactor = "default.replication.factor";
    public const string DeleteTopicEnable = "delete.topic.enable";
    public const string FetchMaxBytes = "fetch.max.bytes";
    public const string GroupInitialRebalanceDelayMs = "group.initial.rebalance.delay.ms";
    public const string GroupMaxSessionTimeoutMs = "group.max.session.timeout.ms";
    public const string GroupMaxSize = "group.max.size";
    public const string GroupMinSessionTimeoutMs = "group.min.session.timeout.ms";
    public const string InterBrokerListenerName = "inter.broker.listener.name";
    public const string LeaderReplicationThrottledRate = "leader.replication.throttled.rate";
    public const string ListenerSecurityProtocolMap = "listener.security.protocol.map";
    public const string Listeners = "listeners";
    public const string LogRetentionCheckIntervalMs = "log.retention.check.interval.ms";
    public const string MaxConnections = "max.connections";
    public const string MaxConnectionsPerIp = "max.connections.per.ip";
    public const string BalancerBytesPerSecond = "millrace.balancer.bytes.per.second";
    public const string BalancerExcludedBrokers = "millrace.balancer.excluded.brokers";
    public const string BalancerExcludedTopics = "millrace.balancer.excluded.topics";
    public const string BalancerMode = "millrace.balancer.mode";
    public const string Drained = "millrace.drained";
    public const string FollowedMaxBytes = "millrace.followed.max.bytes";
    public const string FollowedWalBytes = "millrace.followed.wal.bytes";
    public const string HandOverPartitions = "millrace.handover.partitions";
    public const string ListenerRacks = "millrace.listener.racks";
    public const string OffsetsSpareRecords = "millrace.offsets.spare.records";
    public const string MaxProducers = "millrace.producers.max";
    public const string NodeId = "node.id";
    public const string NumPartitions = "num.partitions";
    public const string OffsetMetadataMaxBytes = "offset.metadata.max.bytes";
    public const string OffsetsRetentionCheckIntervalMs = "offsets.retention.check.interval.ms";
    public const string OffsetsRetentionMinutes = "offsets.retention.minutes";
    public const string OffsetsTopicNumPartitions = "offsets.topic.num.partitions";
    public const string OffsetsTopicReplicationFactor = "offsets.topic.replication.factor";
    public const string ProducerIdExpirationMs = "producer.id.expiration.ms";
    public const string QueuedMaxRequestBytes = "queued.max.request.bytes";
    public const string ReplicaSelectorClass = "replica.selector.class";
    public const string ScalerDesired = "millrace.scaler.desired.brokers";
    public const string ScalerExcludedBrokers = "millrace.scaler.excluded.brokers";
    public const string ScalerFormer = "millrace.scaler.former.brokers";
    public const string ScalerInAfter = "millrace.scaler.in.after.ms";
    public const string ScalerInCooldown = "millrace.scaler.in.cooldown.ms";
    public const string ScalerMaxBrokers = "millrace.scaler.max.brokers";
    public const string ScalerMinBrokers = "millrace.scaler.min.brokers";
    public const string ScalerMode = "millrace.scaler.mode";
    public const string ScalerOutAfter = "millrace.scaler.out.after.ms";
    public const string ScalerOutCooldown = "millrace.scaler.out.cooldown.ms";
    public const string ScalerTargetBytes = "millrace.scaler.target.bytes.per.second";
    public const string ScalerTargetCpu = "millrace.scaler.target.cpu.ratio";
    public const string ScalerTold = "millrace.scaler.told";
    public const string ScalerVictim = "millrace.scaler.victim";
    public const string SocketRequestMaxBytes = "socket.request.max.bytes";
    public const string TransactionTopicNumPartitions = "transaction.state.log.num.partitions";

    private const string RackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

    // Leaves room for the ids of nodes that come after.
    private const int HighestNodeId = 1_000_000_000;

    /// <summary>By name, in ordinal order.</summary>
    public static IReadOnlyList<ConfigDefinition> All { get; } =
        [.. Own().Concat(Inherited()).OrderBy(config => config.Name, StringComparer.Ordinal)];

    private static readonly FrozenDictionary<string, ConfigDefinition> ByName = All.ToFrozenDictionary(config => config.Name, StringComparer.Ordinal);

    public static ConfigDefinition? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>What is wrong with setting a broker config at run time, or null. As Kafka, takes what it does not know: it may be an extension's.</summary>
    public static string? CheckDynamic(string name, string value) =>
        Find(name) switch
        {
            null => null,
            { IsDynamic: false } => $"Cannot update these configs dynamically: {name}",
            { } definition => definition.Check(value),
        };

    private static IEnumerable<ConfigDefinition> Own() =>
    [
        ConfigDefinition.Text(
            AdvertisedListeners, null,
            "The addresses that clients are told, by listener: each is told those of the listener it came by. Default: where they are bound.").Static(),
        ConfigDefinition.Boolean(AutoCreateTopicsEnable, true, "A topic that a client asks for is created.").Static(),
        ConfigDefinition.Boolean(
            AutoLeaderRebalanceEnable, true, "A broker that starts gets back the partitions whose first replica it is.").Static(),
        ConfigDefinition.Integer(BrokerId, ConfigType.Int, -1, -1, HighestNodeId, "The older name of node.id; -1 lets the cluster choose.").Static(),
        ConfigDefinition.Text(BrokerRack, null, "The rack or zone of the node.").Static(),
        ConfigDefinition.Long(ConnectionsMaxIdleMs, 600_000, 0, "How long a silent connection stays open.").Static(),
        ConfigDefinition.Text(ControllerListenerNames, null, "Listeners of Kafka's controllers: they are not opened here.").Static(),
        ConfigDefinition.List(
            CordonedLogDirs, "", static item => item == "*" ? null : "There is one store, of all brokers: * means it",
            "With *, the broker gets no new partitions. Set for one broker, while it runs or is away."),
        ConfigDefinition.Long(
            BalancerBytesPerSecond, 5_000_000, 0, "A broker whose load is above the mean by less than this is not relieved of any: it would be worth no move."),
        ConfigDefinition.List(
            BalancerExcludedBrokers, "", CheckId, "Ids of brokers that the balancer moves nothing away from, and nothing to."),
        ConfigDefinition.List(
            BalancerExcludedTopics, "", TopicName.Check, "Topics that the balancer moves no partitions of."),
        ConfigDefinition.OneOf(
            BalancerMode, "on", ["on", "advise", "off"],
            "Whether the cluster evens the loads of its brokers by itself: on moves partitions, advise only says which, off does not look."),
        .. Scaler(),
        ConfigDefinition.Boolean(
            Drained, false,
            "The broker leads nothing: what it leads is handed over to others, and it gets nothing, until this is unset. Set for one broker, while it runs or "
            + "is away."),
        ConfigDefinition.Int(DefaultReplicationFactor, 1, 1, "The replication factor of a topic created without one.").Static(),
        ConfigDefinition.Boolean(DeleteTopicEnable, true, "Topics may be deleted.").Static(),
        ConfigDefinition.Int(FetchMaxBytes, 16 << 20, 1024, "The most that one fetch answers.").Static(),
        ConfigDefinition.Int(GroupInitialRebalanceDelayMs, 3_000, 0, "How long a new group waits for more members.").Static(),
        ConfigDefinition.Int(GroupMaxSessionTimeoutMs, 1_800_000, 0, "The longest session timeout of a member.").Static(),
        ConfigDefinition.Int(GroupMaxSize, int.MaxValue, 1, "The most members of a group.").Static(),
        ConfigDefinition.Int(GroupMinSessionTimeoutMs, 6_000, 0, "The shortest session timeout of a member.").Static(),
        ConfigDefinition.Text(
            InterBrokerListenerName, null,
            "The listener by which other brokers reach this one; PLAINTEXT, or the first, if it is not set.").Static(),
        ConfigDefinition.Long(
            LeaderReplicationThrottledRate, long.MaxValue, 1,
            "How many bytes a second a broker uploads of partitions that are to move, before they stop: in any move, drains and returns among them, whatever "
            + "leader.replication.throttled.replicas says. One partition's go at once, and what is uploaded in its stop is not held back; nor are partitions "
            + "of __consumer_offsets, or a broker that stops."),
        ConfigDefinition.Text(
            ListenerSecurityProtocolMap, "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
            "What each listener speaks; only PLAINTEXT is spoken here.").Static(),
        ConfigDefinition.Text(
            Listeners, "PLAINTEXT://127.0.0.1:9092",
            "The addresses that the broker listens on: NAME://HOST:PORT, more of them behind commas.").Static(),
        ConfigDefinition.Long(LogRetentionCheckIntervalMs, 300_000, 1, "How often retention looks for what may go.").Static(),
        ConfigDefinition.Int(MaxConnections, 20_000, 1, "The most connections a broker accepts."),
        ConfigDefinition.Int(MaxConnectionsPerIp, int.MaxValue, 0, "The most connections from one address."),
        ConfigDefinition.Integer(
            HandOverPartitions, ConfigType.Int, 128, 1, 1_000,
            "How many partitions a broker hands over at a time: so many stop together, and share their writes to the store."),
        ConfigDefinition.Long(
            FollowedMaxBytes, 16L << 20, 0,
            "Memory for the newest records of partitions that brokers in other racks lead, for consumers of this broker's rack (replica.selector.class). "
            + "0: they are served nothing but what is uploaded, so that nothing crosses racks for them, and come to see a record when it is.").Static(),
        ConfigDefinition.Int(
            FollowedWalBytes, 32 << 10, 0,
            "From so many bytes of a partition in one object of its leader's WAL on, where that lies in the store, brokers of other racks read them there, and "
            + "are not sent them. A request to the store costs about as much as 20 KB that cross zones. 0: they are always sent.").Static(),
        ConfigDefinition.List(
            ListenerRacks, "", CheckListenerRack,
            "The rack of clients that come by a listener and do not say theirs: NAME:RACK, more of them behind commas. The same on all brokers.").Static(),
        ConfigDefinition.Int(
            MaxProducers,
            200_000,
            1,
            "How many idempotent producers a node remembers, each once a partition; the longest idle are forgotten early.")
            .Static(),
        ConfigDefinition.Int(
            OffsetsSpareRecords,
            10_000,
            0,
            "How many records a partition of __consumer_offsets may hold beside those that count, or half as many as those if that is more, before they are "
            + "written once more and all before them is deleted. A partition that has more when it moves is read by its next leader "
            + "before the present one stops.")
            .Static(),
        ConfigDefinition.Integer(
            NodeId, ConfigType.Int, null, 0, HighestNodeId, "The node's id, which stays with it for good; the cluster chooses one if none is given.")
            .Static(),
        ConfigDefinition.Int(NumPartitions, 1, 1, "The partitions of a topic created without a number.").Static(),
        ConfigDefinition.Int(OffsetMetadataMaxBytes, 4_096, 0, "The most metadata with a committed offset.").Static(),
        ConfigDefinition.Long(OffsetsRetentionCheckIntervalMs, 600_000, 1, "How often expired offsets are looked for.").Static(),
        ConfigDefinition.Int(OffsetsRetentionMinutes, 10_080, 1, "How long an empty group keeps its offsets.").Static(),
        ConfigDefinition.Int(OffsetsTopicNumPartitions, 50, 1, "The partitions of __consumer_offsets.").Static(),
        ConfigDefinition.Integer(
            OffsetsTopicReplicationFactor, ConfigType.Short, 3, 1, short.MaxValue, "The replication factor of __consumer_offsets.").Static(),
        ConfigDefinition.Int(ProducerIdExpirationMs, 86_400_000, 1, "How long an idle producer's sequence state is kept."),
        ConfigDefinition.Int(QueuedMaxRequestBytes, -1, -1, "The bytes of requests in flight on the node; -1 for the product's own bound.").Static(),
        ConfigDefinition.OneOf(
            ReplicaSelectorClass, RackAwareSelector, [RackAwareSelector, "org.apache.kafka.common.replica.LeaderSelector", ""],
            "Whether consumers read from a broker of their own rack where the leader is in another: the rack-aware one, or not at all: any other, or none. "
            + "The same on all brokers.").Static(),
        ConfigDefinition.Int(SocketRequestMaxBytes, 104_857_600, 1, "The largest request.").Static(),
        ConfigDefinition.Int(TransactionTopicNumPartitions, 50, 1, "The partitions of __transaction_state.").Static(),
    ];

    private static string? CheckListenerRack(string item) =>
        item.Split(':', StringSplitOptions.TrimEntries) is [{ Length: > 0 }, { Length: > 0 }] ? null : "It takes NAME:RACK";

    private static IEnumerable<ConfigDefinition> Scaler() =>
    [
        ConfigDefinition.OneOf(
            ScalerMode, "off", ["on", "advise", "off"],
            "Whether the cluster looks how many brokers it should have: advise tells whoever asks, on also runs millrace.scaler.command, and drains a broker "
            + "that is to go before; off does not look."),
        ConfigDefinition.Int(ScalerMinBrokers, 1, 1, "The scaler never wants fewer brokers."),
        ConfigDefinition.Int(ScalerMaxBrokers, 10, 1, "The scaler never wants more brokers."),
        ConfigDefinition.Ratio(
            ScalerTargetCpu, 0.5,
            "The share of its processors that a broker is to use, on average over those that take part: above it brokers are to come; one is to go where four "
            + "fifths of it would not be exceeded without it.")
            .AndAlso(static text => double.Parse(text, CultureInfo.InvariantCulture) < 0.01 ? "Value must be at least 0.01" : null),
        ConfigDefinition.Long(
            ScalerTargetBytes, 0, 0, "The same for the bytes of batches that a broker takes and gives in a second; 0: they do not count."),
        ConfigDefinition.Long(ScalerOutAfter, 120_000, 0, "How long the load has to be too high before brokers are to come."),
        ConfigDefinition.Long(ScalerInAfter, 900_000, 0, "How long it has to be low enough before one is to go."),
        ConfigDefinition.Long(ScalerOutCooldown, 180_000, 0, "How long after a change, and after a change of the controller, no broker is to come."),
        ConfigDefinition.Long(ScalerInCooldown, 1_800_000, 0, "How long after a change, and after a change of the controller, none is to go."),
        ConfigDefinition.List(
            ScalerExcludedBrokers, "", CheckId, "Ids of brokers that the scaler never has stopped; nor those of millrace.balancer.excluded.brokers."),
        ConfigDefinition.Int(
            ScalerDesired, 0, 0,
            "How many brokers there should be, as the scaler has decided last; 0 for nothing yet. To be set where one is gone for good: without that, it is "
            + "counted as missing."),
        ConfigDefinition.Int(
            ScalerFormer, 0, 0,
            "How many brokers there should have been before those were called for that have not all come: so many it will be again if they do not come and are "
            + "needed no more. 0: nobody was called for."),
        ConfigDefinition.Boolean(
            ScalerTold, false, "Whether the scaler's command was run, and what it was told has neither come about nor been taken back."),
        ConfigDefinition.Int(
            ScalerVictim, -1, -1, "The broker that the scaler has drained, to have it stopped then. -1, as where it is not set: none is to go."),
    ];

    private static string? CheckId(string item) =>
        int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : "A broker's id is a number";

    /// <summary>The broker's side of the topic configs: same type and range, other names.</summary>
    private static IEnumerable<ConfigDefinition> Inherited()
    {
        foreach (var topic in TopicConfigs.All)
        {
            foreach (var synonym in topic.Synonyms)
            {
                yield return topic.AsBrokerConfig(synonym);
            }
        }
    }
}
