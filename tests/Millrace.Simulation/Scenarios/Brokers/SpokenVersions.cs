using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>The version of each API that one client speaks: clients of all ages come. Within the ranges, messages have the same shape for us.</summary>
internal sealed class SpokenVersions(SeededRandom random)
{
    public const short FirstProduceWithZstd = 7;
    public const short FirstFetchWithLogStart = 5;

    public short Produce { get; } = Draw(random, 3, 12);

    public short ProduceById => 13;

    public short Fetch { get; } = Draw(random, 4, 12);

    public short FetchById { get; } = Draw(random, 13, 17);

    public short CreateTopics { get; } = Draw(random, 2, 7);

    public short CreatePartitions { get; } = Draw(random, 0, 3);

    public short IncrementalAlterConfigs { get; } = Draw(random, 0, 1);

    /// <summary>By id, so that a request that comes late hits nothing that was created since.</summary>
    public short DeleteTopics => 6;

    /// <summary>Names and ids.</summary>
    public short Metadata { get; } = Draw(random, 10, 12);

    public short DeleteRecords { get; } = Draw(random, 0, 2);

    public short InitProducerId { get; } = Draw(random, 0, 4);

    public short FindCoordinator { get; } = Draw(random, 0, 3);

    public short JoinGroup { get; } = Draw(random, 4, 9);

    public short SyncGroup { get; } = Draw(random, 0, 4);

    public short Heartbeat { get; } = Draw(random, 0, 4);

    public short LeaveGroup { get; } = Draw(random, 3, 5);

    public short OffsetCommit { get; } = Draw(random, 5, 9);

    public short OffsetFetch { get; } = Draw(random, 2, 7);

    private static short Draw(SeededRandom random, int first, int last) => (short)random.Next(first, last + 1);
}
