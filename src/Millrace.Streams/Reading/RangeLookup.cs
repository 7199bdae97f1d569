using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Reading;

/// <summary>Where the committed records of an open stream lie, as of this moment.</summary>
/// <remarks>Threading: any thread, without the stream's lock.</remarks>
internal sealed class RangeLookup(StreamCore core, IStreamRegistry registry)
{
    /// <summary>The committed range that contains an offset; null if none does.</summary>
    public ObjectRange? Find(long offset)
    {
        lock (core.Lock)
        {
            return core.Ranges.Find(offset) is var index and >= 0 ? core.Ranges[index] : null;
        }
    }

    /// <summary>The first committed range that ends after an offset and has a timestamp of at least this; and where all of them end.</summary>
    public ObjectRange? Find(long offset, long timestamp, out long committedEnd)
    {
        lock (core.Lock)
        {
            committedEnd = core.Offsets.Uploaded;
            for (var i = 0; i < core.Ranges.Count; i++)
            {
                if (core.Ranges[i].EndOffset > offset && core.Ranges[i].MaxTimestamp >= timestamp)
                {
                    return core.Ranges[i];
                }
            }

            return null;
        }
    }

    /// <summary>An object that a range names is gone: asks the registry where its records are now.</summary>
    /// <exception cref="StreamException">Corrupt if the registry says that they are still there.</exception>
    public async Task RefreshAsync(ObjectId missing, CancellationToken token)
    {
        var loaded = await RangePages.LoadAsync(registry, core.Id, core.Offsets.Start, token);
        lock (core.Lock)
        {
            core.Life.ThrowIfEnded();
            var start = core.Offsets.Start;
            if (loaded.Any(range => range.Object == missing && range.EndOffset > start))
            {
                throw DataObjectReader.Corrupt(missing, "the store has no such object");
            }

            // Commits that this node has yet to hear of come by themselves; those it heard of since the answer are kept.
            List<ObjectRange> ranges = [.. loaded.Where(range => range.EndOffset <= core.Offsets.Uploaded && range.EndOffset > start)];
            var end = ranges.Count > 0 ? ranges[^1].EndOffset : start;
            for (var i = 0; i < core.Ranges.Count; i++)
            {
                if (core.Ranges[i].StartOffset >= end)
                {
                    ranges.Add(core.Ranges[i]);
                }
            }

            core.Ranges.Replace(ranges);
        }
    }

    /// <summary>Why no object holds an offset that somebody reads.</summary>
    public StreamException NotInObjects(long offset)
    {
        lock (core.Lock)
        {
            core.Life.ThrowIfEnded();
            return offset < core.Offsets.Start
                ? new StreamException(StreamError.OffsetOutOfRange, $"Stream {core.Id} was trimmed to {core.Offsets.Start} while offset {offset} was read")
                : new StreamException(StreamError.Corrupt, $"Neither memory nor an object holds offset {offset} of stream {core.Id}");
        }
    }
}
