using Millrace.Streams.State;

namespace Millrace.Streams.Reading;

/// <summary>Reads a stream: what is cached from memory (<see cref="TailReader"/>), the rest from objects (<see cref="ColdReader"/>).</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class StreamReads
{
    private static readonly StreamRead Nothing = new([]);
    private readonly StreamCore _core;
    private readonly ReadContext _context;
    private readonly RangeLookup _ranges;
    private readonly ColdReader _cold;

    public StreamReads(StreamCore core, ReadContext context)
    {
        (_core, _context) = (core, context);
        _ranges = new RangeLookup(core, context.Registry);
        _cold = new ColdReader(core.Id, _ranges, context);
    }

    public ValueTask<StreamRead> ReadAsync(long offset, int maxBytes, CancellationToken token)
    {
        lock (_core.Lock)
        {
            _core.Life.ThrowIfEnded();
            var (start, confirmed) = (_core.Offsets.Start, _core.Offsets.Confirmed);
            if (offset < start || offset > confirmed)
            {
                throw new StreamException(StreamError.OffsetOutOfRange, $"Offset {offset} of stream {_core.Id} lies outside [{start}, {confirmed}]");
            }

            if (offset == confirmed)
            {
                return new(Nothing);
            }

            if (_core.Cache.TryFind(offset, out var first))
            {
                _context.Metrics.LogCacheReads.Add(1);
                return new(TailReader.Read_NeedsLock(_core, first, maxBytes));
            }
        }

        return _cold.ReadAsync(offset, maxBytes, token);
    }

    public async ValueTask<StreamRead?> FindByTimestampAsync(long timestamp, long fromOffset, CancellationToken token)
    {
        var offset = fromOffset;
        while (true)
        {
            lock (_core.Lock)
            {
                _core.Life.ThrowIfEnded();
                offset = Math.Max(offset, _core.Offsets.Start);
                if (offset >= _core.Offsets.Confirmed)
                {
                    return null;
                }

                // What is cached is searched here. What is not lies in objects, and by the time those are searched more may be cached.
                if (_core.Cache.TryFind(offset, out var first))
                {
                    return TailReader.Find_NeedsLock(_core, first, timestamp);
                }
            }

            var (found, searchedTo) = await _cold.FindByTimestampAsync(offset, timestamp, token);
            if (found is not null)
            {
                return found;
            }

            offset = searchedTo > offset ? searchedTo : throw _ranges.NotInObjects(offset);
        }
    }
}
