using System.Collections.Immutable;

namespace Millrace.Metadata.Loads;

/// <summary>What a node has had to do, over one window. It measures that itself, and says it with its heartbeats.</summary>
public sealed record NodeLoad
{
    /// <summary>How many partitions are told of by themselves, at most.</summary>
    public const int MostBusiest = 200;

    /// <summary>How long it is measured, and how often it is told: so long that a single large request is no load.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromSeconds(10);

    /// <summary>What was heard longer ago says nothing of its node any more: two that should have come since have not.</summary>
    public static TimeSpan FreshFor { get; } = 3 * Window;

    /// <summary>The processor time that the process has used, of what the machine gives it: 0 to 1.</summary>
    public double Cpu { get; init; }

    /// <summary>Bytes a second of batches that were produced to the partitions which it leads.</summary>
    public long BytesIn { get; init; }

    /// <summary>Bytes a second of batches that were fetched from it.</summary>
    public long BytesOut { get; init; }

    /// <summary>Requests a second, of all kinds.</summary>
    public long Requests { get; init; }

    /// <summary>How long its appends waited for the WAL, on average.</summary>
    public TimeSpan WalWait { get; init; }

    /// <summary>The memory that the process holds, in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>The partitions that move the most bytes, the busiest first: <see cref="MostBusiest"/> at most, and none that is idle.</summary>
    public ImmutableArray<PartitionLoad> Busiest { get; init; } = [];

    /// <summary>Bytes a second in both directions, of all partitions.</summary>
    public long Bytes => BytesIn + BytesOut;
}
