using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>Every key that a configuration may hold and that does something: Kafka's (<see cref="BrokerConfigs"/>) and our own.</summary>
internal static class ServerSettings
{
    public const string DataDirectory = "millrace.data.dir";
    public const string Store = "millrace.store";
    public const string Wal = "millrace.wal";
    public const string WalDevices = "millrace.wal.devices";
    public const string NotUploadedMax = "millrace.not.uploaded.max.bytes";
    public const string UploadBytes = "millrace.upload.bytes";
    public const string UploadInterval = "millrace.upload.interval.ms";
    public const string UploadIntervalMax = "millrace.upload.interval.max.ms";
    public const string BlockCache = "millrace.block.cache.bytes";
    public const string InternalListener = "millrace.internal.listener";
    public const string NodeName = "millrace.node.name";
    public const string HttpListener = "millrace.http.listener";
    public const string StoreWait = "millrace.start.store.wait.ms";
    public const string StopLimit = "millrace.stop.limit.ms";
    public const string ShutdownGrace = "millrace.shutdown.grace.ms";
    public const string IdleBuffers = "millrace.idle.buffer.max.bytes";
    public const string ConnectionRequests = "millrace.connection.max.requests";
    public const string ConnectionRequestBytes = "millrace.connection.max.request.bytes";
    public const string SlowFrameGrace = "millrace.slow.frame.grace.ms";
    public const string DeletionDelay = "millrace.object.deletion.delay.ms";
    public const string CollectionInterval = "millrace.object.collection.interval.ms";
    public const string SweepInterval = "millrace.object.sweep.interval.ms";
    public const string CompactionRate = "millrace.compaction.bytes.per.second";
    public const string CompactionInterval = "millrace.compaction.interval.ms";
    public const string WriteStall = "millrace.write.stall.max.ms";
    public const string HeartbeatInterval = "millrace.heartbeat.interval.ms";
    public const string Lease = "millrace.lease.ms";
    public const string Fence = "millrace.fence.ms";
    public const string ControllerSuspicion = "millrace.controller.suspicion.ms";
    public const string NodeProbe = "millrace.node.probe.ms";
    public const string StoreStall = "millrace.store.stall.ms";
    public const string StrangerWait = "millrace.controller.stranger.wait.ms";
    public const string CandidacyStep = "millrace.controller.candidacy.step.ms";
    public const string MetadataPoll = "millrace.metadata.poll.ms";
    public const string OwnershipInterval = "millrace.controller.ownership.interval.ms";
    public const string CalmOwnershipInterval = "millrace.controller.ownership.calm.interval.ms";

    public const string ScalerCommand = "millrace.scaler.command";
    public const string ScalerCommandTimeout = "millrace.scaler.command.timeout.ms";

    private const int MiB = 1 << 20;

    /// <summary>Our own. What is null by default follows from others.</summary>
    public static IReadOnlyList<ConfigDefinition> Own { get; } =
    [
        ConfigDefinition.Text(
            DataDirectory, null,
            "Where the local store and the local WAL lie unless they are named. Default: Kafka's log.dirs or log.dir, else ./millrace-data."),
        ConfigDefinition.Text(
            Store, null,
            "The object store, which is the cluster: file:///path, s3://bucket/prefix?endpoint=URL&region=NAME&path-style=true, or memory:. " +
            "Credentials come from the environment. Default: the data directory's 'store'."),
        ConfigDefinition.Text(
            Wal, null,
            "The write-ahead log: file:///path?capacity=256MiB&mode=buffered|direct, block:///dev/disk/by-id/NAME?capacity=BYTES&fence=reservation|host (a " +
            "device, fenced by its persistent reservations, or by a lock of this host), object?objects=1000 (in the store; an upload begins when it has so " +
            "many objects), or memory (loses what is not uploaded). " +
            "More of other kinds, with commas between (%2C in a path), are for topics that ask for them (the topic's millrace.wal); " +
            "all others lie in the first. " +
            "Default: the data directory's 'wal' where the store is a local directory, else object."),
        ConfigDefinition.Text(
            WalDevices, null,
            "The devices of other nodes that are attached here, too, so that this node can take their WALs over: paths, or URIs as millrace.wal has them, " +
            "with commas between."),
        ConfigDefinition.Text(
            InternalListener, null,
            "HOST:PORT where the other nodes of the cluster connect, apart from clients. Default: a free port of the host by which brokers reach one " +
            "another (inter.broker.listener.name)."),
        ConfigDefinition.Text(
            NodeName, null,
            "What the node is called for good: who comes by the same name is the same node, with the same id. Default: the host's name and the port for " +
            "clients, or the data directory where that port is the system's choice."),
        ConfigDefinition.Long(
            NotUploadedMax, 192L * MiB, 8 * MiB,
            "Records that are durable only in the WAL: bounds memory and recovery time. Producers wait at the bound."),
        ConfigDefinition.Long(UploadBytes, 32L * MiB, MiB, "So many bytes are uploaded together."),
        ConfigDefinition.Long(
            UploadInterval, 10_000, 100,
            "How long a record waits for its upload, unless many partitions have little. Shorter means less to recover and more requests to the store."),
        ConfigDefinition.Long(
            UploadIntervalMax, 60_000, 100,
            "How long a record waits at most for its upload where many partitions have little: each upload costs metadata for each of them. Where it is "
            + "not above millrace.upload.interval.ms, that one always counts."),
        ConfigDefinition.Long(BlockCache, 48L * MiB, MiB, "Memory for blocks read from the store."),
        ConfigDefinition.Long(
            DeletionDelay, 600_000, 30_000,
            "How long an object stays in the store after nothing refers to it any more. Longer than any read may take; 30 s or more."),
        ConfigDefinition.Long(CollectionInterval, 30_000, 100, "How often objects that may go are looked for."),
        ConfigDefinition.Long(SweepInterval, 21_600_000, 1_000, "How often the whole store is listed for objects that the metadata does not know."),
        ConfigDefinition.Long(
            CompactionRate, 16L * MiB, 0,
            "How much a broker that has time reads and writes a second, at most, to merge small objects into larger ones. 0: this broker merges none."),
        ConfigDefinition.Long(CompactionInterval, 10_000, 100, "How often a broker that has time asks whether there are objects to merge."),
        ConfigDefinition.Long(HeartbeatInterval, 250, 10, "How often a node tells the controller that it lives. At most a quarter of millrace.lease.ms."),
        ConfigDefinition.Long(
            Lease, 2_500, 100,
            "How long after its last heartbeat that was answered a node answers reads. The same on all nodes, and shorter than millrace.fence.ms by a sixth, " +
            "so that it ends before another node takes its partitions over though clocks differ."),
        ConfigDefinition.Long(
            Fence, 3_000, 200,
            "How long a node is silent before the controller gives its partitions to others; a node whose process has ended is given up at once. " +
            "The same on all nodes. Longer than any pause of a node that is well: each fence of one costs its clients a failover."),
        ConfigDefinition.Long(
            ControllerSuspicion, 3_000, 1_000,
            "How long the controller is silent before others try to take its place; one whose process has ended is replaced at once."),
        ConfigDefinition.Long(
            NodeProbe, 500, 50,
            "How long a node is silent before the controller looks whether its process has ended. The same on all nodes. At most a fifth of " +
            "millrace.lease.ms."),
        ConfigDefinition.Long(
            StoreStall, 3_000, 200,
            "How long a node waits for the store, while others do not, before it is granted no lease any more, and given up when the last one has ended; " +
            "and a controller, before whoever can write to the store takes its place."),
        ConfigDefinition.Long(
            StrangerWait, 10_000, 0, "How long a process that is no node of the cluster yet leaves it to the nodes to find a new controller."),
        ConfigDefinition.Long(CandidacyStep, 150, 10, "How far apart nodes try to take the place of a controller that is lost, one after another."),
        ConfigDefinition.Long(
            MetadataPoll, 1_000, 50,
            "How long the controller keeps a question for news of the metadata. At most half of millrace.controller.suspicion.ms."),
        ConfigDefinition.Long(
            OwnershipInterval, 500, 50,
            "How often the controller looks whether the metadata log is still its own while a node is silent or fenced: what it grants is as much shorter. " +
            "At most a fifth of millrace.lease.ms."),
        ConfigDefinition.Long(
            CalmOwnershipInterval, 11_000, 500,
            "How often it looks while it hears all nodes: most of what a cluster at rest asks of its store. The same on all nodes."),
        ConfigDefinition.Text(
            ScalerCommand, null,
            "What starts and stops brokers where millrace.scaler.mode is on: a command line for /bin/sh, run on the controller's machine with what should be "
            + "in its environment (docs/operations.md). To be set on all brokers, in their files only: no client may say what runs on a machine."),
        ConfigDefinition.Integer(
            ScalerCommandTimeout, ConfigType.Long, 120_000, 100, 86_400_000,
            "How long a run of that command may take before it is killed, with what it has started."),
        // The port of OpenTelemetry's exporter for Prometheus.
        ConfigDefinition.Text(
            HttpListener, "127.0.0.1:9464",
            "Where /metrics, /healthz, /readyz and /cluster/scaling are served; port 0 lets the system choose, 'off' serves none. " +
            "Where it is not set and its default is taken, the system chooses, and the log and the line that says ready name the port."),
        ConfigDefinition.Long(ShutdownGrace, 5_000, 0, "How long requests under way may take when the node stops."),
        ConfigDefinition.Long(
            StoreWait, 0, 0,
            "How long a start waits for a store that is away or refuses for a while; 0 for ever, with a warning now and then. " +
            "What will not change, as a wrong credential or bucket, ends a start at once."),
        ConfigDefinition.Long(StopLimit, 20_000, 0, "How long a stop may take in all. What is not uploaded then stays in the WAL for the next start."),
        ConfigDefinition.Long(
            IdleBuffers, 64L * MiB, 0,
            "Memory of returned request buffers that is kept for the next; what is not needed for some seconds goes back to the system."),
        ConfigDefinition.Int(ConnectionRequests, 256, 1, "Requests of one connection that are under way; more are not read."),
        ConfigDefinition.Long(ConnectionRequestBytes, 32L * MiB, 4096, "Bytes of requests of one connection that are under way; more are not read."),
        ConfigDefinition.Long(SlowFrameGrace, 30_000, 100, "How long a request may take to arrive before its connection is closed for arriving too slowly."),
        ConfigDefinition.Long(WriteStall, 60_000, 100, "How long a client may take no byte of an answer before its connection is closed."),
    ];

    public static ConfigDefinition? Find(string key) => Own.FirstOrDefault(setting => setting.Name == key) ?? BrokerConfigs.Find(key);

    public static IEnumerable<string> AllKeys => Own.Concat(BrokerConfigs.All).Select(setting => setting.Name);
}
