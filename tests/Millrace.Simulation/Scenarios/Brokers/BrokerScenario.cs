using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Produce, fetch, groups and topics that come and go, through a whole broker that is stopped, killed, fenced, restarted and short of
/// memory.
/// </summary>
internal sealed class BrokerScenario : IScenario
{
    public string Name => "broker";

    public IReadOnlyList<PlantedFault> Faults { get; } = [PlantedFault.AcknowledgeBeforeDurable, PlantedFault.ReleaseParkedFrame];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "broker: starts", "nodes: killed", "broker: clean stops", "broker: killed while it stopped",
        "clients: no answer", "network: ended within a frame", "network: frame in pieces", "network: cut after sending",
        "clients: trimmed completely", "clients: what was asked for had been trimmed",
        "broker: incarnations replaced in process", "broker: clean stops of one that had been replaced",
        "broker: fenced by its own controller", "thief: logs sealed", "thief: WALs sealed", "thief: WALs recovered",
        "idempotent: a batch without an answer had arrived", "idempotent: producers that died",
        "group: generations with two members", "group: partitions that changed hands", "group: members that left", "group: commits refused to former owners",
        "disk: files that lost writes at a power cut", "memory: ran out",
        "batches: large enough for their checksum to be joined", "batches: Gzip", "batches: Snappy", "batches: Lz4", "batches: Zstd",
        "mixed: requests of which some batches were refused", "mixed: batches of acks 0 confirmed",
        "mixed: RequestTimedOut", "mixed: TooLarge: MessageTooLarge",
        "mixed: Checksum: CorruptMessage", "mixed: Malformed: InvalidRecord", "mixed: UnknownPartition: UnknownTopicOrPartition",
        "idempotent: a producer that was forgotten went on", "nodes: clock set", "topics: created again",
        "topics: deleted", "topics: grown", "topics: compression.type changed", "mixed: UnknownTopicId",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new BrokerWorld(kernel, fault).RunAsync();
}
