namespace Millrace.Streams.Cache;

/// <summary>Blocks that come to the <see cref="BlockCache"/> together, into one buffer.</summary>
/// <remarks>Threading: under the cache's lock.</remarks>
/// <param name="reader">For whom, if that is known.</param>
internal sealed class BlockRun(SequentialReader? reader)
{
    public SequentialReader? Reader => reader;

    public List<CachedBlock> Blocks { get; } = [];

    /// <summary>What they take.</summary>
    public long Bytes { get; set; }

    /// <summary>How many of them nobody has asked for: all the others' memory stays with them.</summary>
    public int Ahead { get; set; }

    /// <summary>Ends when they are there; false if there is no such object.</summary>
    public TaskCompletionSource<bool> Read { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
