using System.Buffers;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>Some ranges that follow one another in a stream, in about a dozen bytes each. Immutable.</summary>
/// <remarks>
/// Each is the distance of its object's id from that of the one before, as a varint, and the range itself (<see cref="RangeState"/>). Reading one means
/// reading those before it, and adding one copies the others, so there are few in one piece.
/// </remarks>
internal sealed class PackedRanges
{
    /// <summary>How many ranges one piece has at most.</summary>
    public const int Most = 64;

    private readonly ObjectId _lastObject;
    private readonly long _lastTimestamp;

    private PackedRanges(long startOffset, long endOffset, int count, byte[] bytes, ObjectId lastObject, long lastTimestamp)
    {
        (StartOffset, EndOffset, Count, Bytes) = (startOffset, endOffset, count, bytes);
        (_lastObject, _lastTimestamp) = (lastObject, lastTimestamp);
    }

    public long StartOffset { get; }

    public long EndOffset { get; }

    public int Count { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    public static PackedRanges Of(RangeState range) => new PackedRanges(range.StartOffset, range.StartOffset, 0, [], default, 0).With(range);

    /// <summary>Those that follow one another, at least one.</summary>
    public static PackedRanges Of(IReadOnlyList<RangeState> ranges) =>
        ranges.Skip(1).Aggregate(Of(ranges[0]), (packed, range) => packed.With(range));

    /// <summary>Takes over what <see cref="Bytes"/> gave.</summary>
    /// <param name="startOffset">Where the first of them begins.</param>
    /// <param name="bytes">Copied.</param>
    /// <param name="visit">Is shown each.</param>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static PackedRanges Read(long startOffset, ReadOnlyMemory<byte> bytes, Action<RangeState> visit)
    {
        var (count, last) = (0, default(RangeState));
        var reader = new Reader(startOffset, bytes);
        while (reader.TryRead(out var range))
        {
            Invariant.Check(range.EndOffset >= range.StartOffset);
            visit(range);
            last = range;
            count++;
        }

        Invariant.Check(count is > 0 and <= Most);
        return new PackedRanges(startOffset, last.EndOffset, count, bytes.ToArray(), last.Object, last.MaxTimestamp);
    }

    /// <summary>These and the one that follows.</summary>
    public PackedRanges With(RangeState range)
    {
        Invariant.Check(range.StartOffset == EndOffset && Count < Most);
        // More than one range ever takes: six varints.
        var output = new ArrayBufferWriter<byte>(Bytes.Length + 64);
        output.Write(Bytes.Span);
        var writer = new KafkaWriter(output);
        writer.WriteVarlong(range.Object.Value - _lastObject.Value);
        var timestamp = _lastTimestamp;
        range.Pack(ref writer, ref timestamp);
        writer.Flush();
        return new PackedRanges(StartOffset, range.EndOffset, Count + 1, output.WrittenSpan.ToArray(), range.Object, timestamp);
    }

    public IEnumerable<RangeState> Unpack()
    {
        var ranges = new RangeState[Count];
        var reader = new Reader(StartOffset, Bytes);
        for (var i = 0; i < ranges.Length; i++)
        {
            Invariant.Check(reader.TryRead(out ranges[i]));
        }

        return ranges;
    }

    private ref struct Reader(long startOffset, ReadOnlyMemory<byte> bytes)
    {
        private KafkaReader _bytes = new(bytes);
        private long _offset = startOffset;
        private long _object;
        private long _timestamp;

        public bool TryRead(out RangeState range)
        {
            if (_bytes.Remaining == 0)
            {
                range = default;
                return false;
            }

            _object += _bytes.ReadVarlong();
            range = RangeState.Unpack(ref _bytes, new ObjectId(_object), _offset, ref _timestamp);
            _offset = range.EndOffset;
            return true;
        }
    }
}
