namespace Millrace.Streams.Registry;

/// <summary>What an owner learns when it opens a stream.</summary>
/// <param name="StartOffset">The lowest offset that may be read.</param>
/// <param name="EndOffset">The committed end: where this epoch's range begins.</param>
/// <param name="Epochs">All epochs and their first offsets, this one last.</param>
/// <param name="CheckpointRange">The newest range that carries a checkpoint, or null.</param>
public sealed record StreamOpening(long StartOffset, long EndOffset, IReadOnlyList<EpochStart> Epochs, ObjectRange? CheckpointRange)
{
    /// <summary>How many committed ranges end after the start offset, at most.</summary>
    public int RangeCount { get; init; }

    /// <summary>The first of the committed ranges that end after the start offset, perhaps not all: the others are asked for.</summary>
    public IReadOnlyList<ObjectRange> Ranges { get; init; } = [];

    /// <summary>The kind of the owner's WAL to which it appends; null: its default.</summary>
    public WalKind? Wal { get; init; }
}
