using System.Buffers.Binary;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Objects;

/// <summary>Writes what stands before the payloads of a <see cref="DataBlock"/>, record by record, checksum included.</summary>
internal ref struct DataBlockTable
{
    private readonly Span<byte> _destination;
    private int _count;
    private int _payloadEnd;
    private uint _payloadChecksum;

    /// <param name="destination"><see cref="DataBlock.TableSize"/> bytes for the records to come.</param>
    /// <param name="stream">Of all records.</param>
    /// <param name="epoch">Of all records.</param>
    public DataBlockTable(Span<byte> destination, StreamId stream, StreamEpoch epoch)
    {
        _destination = destination;
        BinaryPrimitives.WriteUInt32LittleEndian(destination, DataBlock.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(destination[12..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(destination[DataBlock.StreamAt..], stream.Value);
        BinaryPrimitives.WriteInt64LittleEndian(destination[DataBlock.EpochAt..], epoch.Value);
    }

    /// <summary>Adds the record that follows the last one.</summary>
    public void Add(in StreamRecord record)
    {
        var entry = _destination[DataBlock.TableSize(_count)..];
        _payloadEnd = checked(_payloadEnd + record.Payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(entry, record.BaseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], record.Count);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], record.MaxTimestamp);
        BinaryPrimitives.WriteInt32LittleEndian(entry[24..], _payloadEnd);
        _payloadChecksum = record.AppendPayloadTo(_payloadChecksum);
        _count++;
    }

    public readonly void Complete()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_destination[DataBlock.CountAt..], _count);
        var table = Crc32C.Of(_destination[DataBlock.CheckedFrom..DataBlock.TableSize(_count)]);
        BinaryPrimitives.WriteUInt32LittleEndian(_destination[DataBlock.CrcAt..], Crc32C.Join(table, _payloadChecksum, _payloadEnd));
    }
}
