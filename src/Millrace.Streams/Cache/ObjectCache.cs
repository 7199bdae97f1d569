using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Cache;

/// <summary>
/// What an incarnation has of data objects in memory, within <see cref="StreamsOptions.IndexCacheBytes"/> and
/// <see cref="StreamsOptions.BlockCacheBytes"/>: what was read back, and what it has recovered, which it is about to open.
/// </summary>
/// <remarks>
/// What does not fit is read from the store. Nothing that does not count is ever served: readers come by the ranges that the registry has committed.
/// Threading: any thread. Ends the reads that are under way when it is disposed.
/// </remarks>
public sealed class ObjectCache : IAsyncDisposable
{
    // As large as what a recovery gives back at the time: its memory serves again.
    private const int RunBytes = 1 << 20;
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="runtime">Time and chance.</param>
    /// <param name="options">How much is kept; the pauses after failed reads.</param>
    /// <param name="storage">Holds the objects.</param>
    /// <param name="buffers">Lends the memory.</param>
    public ObjectCache(NodeRuntime runtime, StreamsOptions options, IObjectStorage storage, BufferPool buffers)
    {
        Objects = new DataObjectReader(runtime, options, new SharedReads(storage, buffers, _stopping.Token).ReadAsync);
        Indexes = new ObjectIndexCache(Objects, options.IndexCacheBytes, _stopping.Token);
        Blocks = new BlockCache(Objects, buffers, options.BlockCacheBytes, _stopping.Token);
    }

    internal DataObjectReader Objects { get; }

    internal ObjectIndexCache Indexes { get; }

    internal BlockCache Blocks { get; }

    public ValueTask DisposeAsync()
    {
        _stopping.Cancel();
        Blocks.Dispose();
        return default;
    }

    /// <summary>Keeps, of an object that was just committed, what counts and finds room. Never fails.</summary>
    /// <param name="written">The object.</param>
    /// <param name="verdicts">What the registry has said of its ranges, in their order.</param>
    internal void Keep(DataObject written, IReadOnlyList<RangeVerdict> verdicts)
    {
        var (at, position) = (written.Body.Start, 0L);
        foreach (var (first, last) in RunsOf(written.Index, verdicts))
        {
            Indexes.Add(written.Index);
            var from = written.Index.Blocks[first].Position;
            var length = written.Index.Blocks[last].Position + written.Index.Blocks[last].Size - from;
            (at, position) = (written.Body.GetPosition(from - position, at), from);
            if (!Blocks.TryKeep(written.Index, first, last, written.Body.Slice(at, length)))
            {
                return;
            }
        }
    }

    /// <summary>The blocks of ranges that count, as many at a time as go into one buffer: those of many small streams share it.</summary>
    private static IEnumerable<(int First, int Last)> RunsOf(DataObjectIndex index, IReadOnlyList<RangeVerdict> verdicts)
    {
        var (first, next) = (0, 0);
        for (var i = 0; i < verdicts.Count; i++)
        {
            var range = index.Ranges[i];
            if (verdicts[i].Outcome is not (RangeOutcome.Accepted or RangeOutcome.Cut))
            {
                continue;
            }

            for (var block = range.FirstBlock; block < range.FirstBlock + range.BlockCount; block++)
            {
                var isNeighbour = next > first && block == next;
                if (!isNeighbour || index.Blocks[block].Position + index.Blocks[block].Size - index.Blocks[first].Position > RunBytes)
                {
                    if (next > first)
                    {
                        yield return (first, next - 1);
                    }

                    first = block;
                }

                next = block + 1;
            }
        }

        if (next > first)
        {
            yield return (first, next - 1);
        }
    }
}
