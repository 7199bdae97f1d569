using System.Buffers;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Metadata.Records;

/// <summary>
/// The records of one entry of the metadata log, or of one part of a snapshot, as bytes. They are applied together or not at all.
/// </summary>
/// <remarks>
/// Layout: format (1 byte, 1), then for each record its id and version (2 bytes each, big-endian), its length (unsigned varint)
/// and its encoding. A reader stops at what it does not know: to skip a record would part its image from everybody else's.
/// </remarks>
public static class MetadataEntry
{
    private const sbyte Format = 1;

    public static byte[] Write(IEnumerable<IRecord> records)
    {
        var output = Begin();
        foreach (var record in records)
        {
            Write(output, record);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>The records in pieces of about a size, one after the other as they are asked for; none if there are no records.</summary>
    /// <param name="records">In order.</param>
    /// <param name="bytes">After as many a piece ends.</param>
    public static IEnumerable<byte[]> WriteParts(IEnumerable<IRecord> records, int bytes)
    {
        ArrayBufferWriter<byte>? output = null;
        foreach (var record in records)
        {
            output ??= Begin();
            Write(output, record);
            if (output.WrittenCount >= bytes)
            {
                yield return output.WrittenSpan.ToArray();
                output = null;
            }
        }

        if (output is not null)
        {
            yield return output.WrittenSpan.ToArray();
        }
    }

    /// <exception cref="ProtocolException">The format, a record or its version is unknown, or the bytes are malformed.</exception>
    public static IReadOnlyList<IRecord> Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new KafkaReader(bytes);
        var format = reader.ReadInt8();
        if (format != Format)
        {
            throw new ProtocolException($"The metadata has format {format}, and this program knows {Format}: it was written by a newer one");
        }

        var records = new List<IRecord>();
        while (reader.Remaining > 0)
        {
            records.Add(ReadRecord(ref reader));
        }

        return records;
    }

    private static ArrayBufferWriter<byte> Begin()
    {
        var output = new ArrayBufferWriter<byte>();
        output.Write([(byte)Format]);
        return output;
    }

    private static void Write(ArrayBufferWriter<byte> output, IRecord record)
    {
        var version = record.HighestVersion;
        var counter = default(KafkaWriter);
        record.Write(ref counter, version);
        var writer = new KafkaWriter(output);
        writer.WriteInt16(record.Id);
        writer.WriteInt16(version);
        writer.WriteUnsignedVarint((uint)counter.BytesWritten);
        record.Write(ref writer, version);
        writer.Flush();
    }

    private static IRecord ReadRecord(ref KafkaReader reader)
    {
        var id = reader.ReadInt16();
        var version = reader.ReadInt16();
        var length = reader.ReadUnsignedVarint();
        if (length > reader.Remaining)
        {
            throw new ProtocolException($"A metadata record claims {length} bytes, and {reader.Remaining} are left");
        }

        var content = new KafkaReader(reader.ReadRaw((int)length));
        var record = RecordTypes.Read(id, ref content, version)
            ?? throw new ProtocolException($"The metadata holds a record of kind {id}, which this program does not know: it was written by a newer one");
        content.ExpectEnd();
        return record;
    }
}
