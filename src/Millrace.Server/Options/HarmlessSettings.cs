namespace Millrace.Server.Options;

/// <summary>
/// Kafka's settings for what does not exist here or takes care of itself. They stand in files that people bring along, so they are
/// accepted, with one warning that names them, and change nothing. What would change a promise is in <see cref="RefusedSettings"/>.
/// </summary>
/// <remarks>Together with <see cref="ServerSettings"/> and <see cref="RefusedSettings"/> these are all broker configs of Apache Kafka 4.3.</remarks>
internal static class HarmlessSettings
{
    public static IReadOnlyList<HarmlessGroup> Groups { get; } =
    [
        new("Every node is broker and controller in one, and the store decides which of them is the controller; brokers of one store are a cluster.",
            "broker.heartbeat.interval.ms", "broker.session.timeout.ms", "cluster.id", "controlled.shutdown.enable",
            "controller.performance.", "controller.quorum.", "controller.socket.timeout.ms", "early.start.listeners",
            "initial.broker.registration.timeout.ms", "leader.imbalance.check.interval.seconds",
            "request.timeout.ms", "server.max.startup.time.ms", "unclean.leader.election.interval.ms"),
        new("Metadata lies in the store, as a log that is kept short by itself.",
            "internal.metadata.", "metadata.log.", "metadata.max."),
        new("Records lie in the store: no broker replicates them.",
            "alter.log.dirs.replication.quota.window.", "num.replica.alter.log.dirs.threads", "num.replica.fetchers", "replica.fetch.",
            "replica.high.watermark.checkpoint.interval.ms", "replica.lag.time.max.ms", "replica.socket.",
            "replication.quota.window."),
        new("There are no log folders and segment files.",
            "log.dir.failure.timeout.ms", "log.flush.offset.checkpoint.interval.ms", "log.flush.scheduler.interval.ms",
            "log.flush.start.offset.checkpoint.interval.ms", "log.initial.task.delay.ms", "num.recovery.threads.per.data.dir",
            "offsets.load.buffer.size", "offsets.topic.compression.codec", "offsets.topic.segment.bytes"),
        new("There is no log cleaning yet: compacted topics keep everything.",
            "log.cleaner.backoff.ms", "log.cleaner.dedupe.buffer.size", "log.cleaner.enable", "log.cleaner.io.", "log.cleaner.threads"),
        new("There is one storage tier, the object store.",
            "follower.fetch.last.tiered.offset.enable", "log.local.retention.bytes", "log.local.retention.ms", "remote.fetch.",
            "remote.list.", "remote.log.", "rlmm.config.", "rsm.config."),
        new("Threads and queues follow from the machine; memory of requests is bounded by queued.max.request.bytes.",
            "background.threads", "delete.records.purgatory.purge.interval.requests", "fetch.purgatory.purge.interval.requests", "num.io.threads",
            "num.network.threads", "producer.purgatory.purge.interval.requests", "queued.max.requests", "share.fetch.purgatory.purge.interval.requests"),
        new("Sockets have the system's buffers and backlog; max.connections and max.connections.per.ip bound connections.",
            "connection.failed.authentication.delay.ms", "max.connection.creation.rate", "max.connections.per.ip.overrides",
            "max.incremental.fetch.session.cache.slots", "max.request.partition.size.limit", "socket.connection.setup.timeout.",
            "socket.listen.backlog.size", "socket.receive.buffer.bytes", "socket.send.buffer.bytes"),
        new("The group coordinator needs no tuning; consumer groups of KIP-848, share groups and streams groups are not served yet.",
            "group.consumer.", "group.coordinator.", "group.share.", "group.streams.", "offsets.commit.timeout.ms", "share.coordinator."),
        new("Transactions are not served yet; the state of idempotent producers is bounded by producer.id.expiration.ms.",
            "add.partitions.to.txn.", "producer.id.expiration.check.interval.ms", "transaction.", "transactional.id.expiration.ms"),
        new("There are no quotas and no delegation tokens yet.",
            "controller.quota.window.", "delegation.token.expiry.", "delegation.token.max.lifetime.ms", "quota.window."),
        new("Metrics are at /metrics, in Prometheus' form (millrace.http.listener).",
            "auto.include.jmx.reporter", "kafka.metrics.", "metric.reporters", "metrics.", "telemetry.max.bytes"),
        new("They belong to an authorizer, and there is none yet.",
            "allow.everyone.if.no.acl.found", "super.users"),
        new("They belong to unreleased parts of Kafka.",
            "unstable."),
        new("They belong to Kafka before 4.0.",
            "broker.id.generation.enable", "control.plane.listener.name", "controlled.shutdown.max.retries",
            "controlled.shutdown.retry.backoff.ms", "inter.broker.protocol.version",
            "leader.imbalance.per.broker.percentage", "log.message.downconversion.enable",
            "log.message.format.version", "log.message.timestamp.difference.max.ms", "offsets.commit.required.acks", "password.encoder.",
            "reserved.broker.max.id", "zookeeper."),
        new("They belong to Confluent's edition of Kafka.",
            "confluent."),
    ];

    public static bool Contains(string key) => Groups.Any(group => group.Holds(key));
}
