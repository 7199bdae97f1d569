using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Objects;

/// <summary>
/// Reads small parts of objects for many at once: what is asked of an object while it is being read goes together in the next reads, those parts that
/// lie near one another in one. So thousands of streams whose checkpoints and few records lie in one object cost it a few requests; a single part waits
/// for nothing.
/// </summary>
/// <remarks>
/// What lies between two parts is read along where that is less than another request would cost. Large parts are worth a request of their own.
/// Memory: at most <see cref="ReadsAtOnce"/> buffers of <see cref="LargestRead"/>. Threading: any thread.
/// </remarks>
/// <param name="storage">Where the objects are.</param>
/// <param name="buffers">Lends the memory.</param>
/// <param name="stopping">Ends reads under way: they serve several and belong to none.</param>
internal sealed class SharedReads(IObjectStorage storage, BufferPool buffers, CancellationToken stopping)
{
    /// <summary>Larger parts go by themselves: a store brings so many bytes in less time than a request takes.</summary>
    public const int LargestPart = 64 << 10;

    private const int LargestRead = 512 << 10;
    private const int LargestGap = 64 << 10;
    private const int ReadsAtOnce = 32;

    // One that the store is long about should not keep everybody else who wants something of the object waiting.
    private const int RoundsOfObject = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ObjectReads> _objects = [];
    private readonly AsyncGate _places = new(ReadsAtOnce);

    /// <summary>As <see cref="IObjectStorage.ReadAsync"/>. Nothing is written to the destination once this has ended.</summary>
    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        if (destination.Length > LargestPart)
        {
            return await storage.ReadAsync(key, position, destination, token);
        }

        var part = new Part(position, destination);
        bool begins;
        lock (_lock)
        {
            if (!_objects.TryGetValue(key, out var reads))
            {
                _objects.Add(key, reads = new ObjectReads());
            }

            reads.Waiting.Add(part);
            begins = reads.Rounds < RoundsOfObject;
            reads.Rounds += begins ? 1 : 0;
        }

        if (begins)
        {
            // Not awaited: it goes on with what others ask.
            _ = ReadAllAsync(key);
        }

        try
        {
            return await part.Read.OrCancelled(token);
        }
        finally
        {
            part.Leave();
        }
    }

    // Reads what waits of an object until nothing does. Never fails: a failure goes to those who wait for the part.
    private async Task ReadAllAsync(string key)
    {
        // Behind those who are about to ask, too, where thousands go on at the same time: a disk answers sooner than they come by.
        await Task.Yield();
        while (Take(key) is { } parts)
        {
            try
            {
                await Task.WhenAll(Cut(parts).Select(near => ReadAsync(key, near)));
            }
            catch (Exception failure)
            {
                // No memory to put them in order.
                parts.ForEach(part => part.Fail(failure));
            }
        }
    }

    private List<Part>? Take(string key)
    {
        lock (_lock)
        {
            var reads = _objects[key];
            if (reads.Waiting.Count > 0)
            {
                var parts = reads.Waiting;
                reads.Waiting = [];
                return parts;
            }

            if (--reads.Rounds == 0)
            {
                _objects.Remove(key);
            }

            return null;
        }
    }

    // Parts that one read brings, in the order of their places.
    private static List<ArraySegment<Part>> Cut(List<Part> parts)
    {
        var ordered = parts.OrderBy(part => part.Position).ToArray();
        var cut = new List<ArraySegment<Part>>();
        var (first, end) = (0, ordered[0].End);
        for (var i = 1; i < ordered.Length; i++)
        {
            var next = ordered[i];
            if (next.Position - end > LargestGap || next.End - ordered[first].Position > LargestRead)
            {
                cut.Add(new ArraySegment<Part>(ordered, first, i - first));
                (first, end) = (i, next.End);
            }
            else
            {
                end = Math.Max(end, next.End);
            }
        }

        cut.Add(new ArraySegment<Part>(ordered, first, ordered.Length - first));
        return cut;
    }

    private async Task ReadAsync(string key, ArraySegment<Part> parts)
    {
        try
        {
            await _places.EnterAsync(stopping);
            try
            {
                await FillAsync(key, parts);
            }
            finally
            {
                _places.Exit();
            }
        }
        catch (Exception failure)
        {
            var reason = failure is OperationCanceledException ? DataObjectReader.Stopped() : failure;
            foreach (var part in parts)
            {
                part.Fail(reason);
            }
        }
    }

    private async Task FillAsync(string key, ArraySegment<Part> parts)
    {
        var start = parts[0].Position;
        var buffer = buffers.Rent((int)(parts.Max(part => part.End) - start));
        try
        {
            var count = await storage.ReadAsync(key, start, buffer.Memory, stopping);
            foreach (var part in parts)
            {
                var from = (int)(part.Position - start);
                part.Fill(count < 0 ? default(ReadOnlyMemory<byte>?) : buffer.Memory[Math.Min(from, count)..Math.Min((int)(part.End - start), count)]);
            }
        }
        finally
        {
            buffer.Release();
        }
    }

    /// <summary>An object of which something is being read.</summary>
    private sealed class ObjectReads
    {
        /// <summary>What the next round takes.</summary>
        public List<Part> Waiting { get; set; } = [];

        /// <summary>How many are under way.</summary>
        public int Rounds { get; set; }
    }

    /// <summary>Bytes that somebody waits for.</summary>
    private sealed class Part(long position, Memory<byte> destination)
    {
        private readonly Lock _lock = new();
        private readonly TaskCompletionSource<int> _read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _hasLeft;

        public long Position => position;

        public long End => position + destination.Length;

        public Task<int> Read => _read.Task;

        /// <param name="bytes">Fewer than wanted at the object's end; null if there is no object.</param>
        public void Fill(ReadOnlyMemory<byte>? bytes)
        {
            lock (_lock)
            {
                if (!_hasLeft)
                {
                    bytes?.CopyTo(destination);
                }
            }

            _read.TrySetResult(bytes?.Length ?? -1);
        }

        public void Fail(Exception reason) => _read.TrySetException(reason);

        /// <summary>The destination may be somebody else's from now on.</summary>
        public void Leave()
        {
            lock (_lock)
            {
                _hasLeft = true;
            }
        }
    }
}
