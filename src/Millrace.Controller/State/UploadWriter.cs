using System.Buffers;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>Packs the ranges of an upload for its record, in the order in which they count.</summary>
/// <remarks>
/// Each, in varints: the distance of its stream's id from that of the one before, times two, and 1 if it lies in another object than that; then the
/// object's number in the record; the range (<see cref="RangeState"/>). Streams come in the order of their ids and nearly all lie in one object, so that a
/// range is about ten bytes.
/// </remarks>
internal sealed class UploadWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private long _stream;
    private int _object;
    private long _timestamp;

    public void Add(StreamId stream, int @object, RangeState range)
    {
        var writer = new KafkaWriter(_bytes);
        var isElsewhere = @object != _object;
        writer.WriteVarlong((stream.Value - _stream) << 1 | (isElsewhere ? 1L : 0));
        if (isElsewhere)
        {
            writer.WriteUnsignedVarint((uint)@object);
        }

        range.Pack(ref writer, ref _timestamp);
        writer.Flush();
        (_stream, _object) = (stream.Value, @object);
    }

    public ReadOnlyMemory<byte> ToBytes() => _bytes.WrittenSpan.ToArray();
}
