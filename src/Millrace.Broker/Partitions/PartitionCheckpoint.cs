using System.Buffers.Binary;
using Millrace.Broker.Partitions.Producers;

namespace Millrace.Broker.Partitions;

/// <summary>What a partition keeps with its stream: its state as of an offset, from which a later owner goes on. Version 1.</summary>
/// <remarks>
/// Little-endian. A version that is not known stops the opening: to skip it would forget producers.
/// <code>
/// u8   version      1
/// i32  producers    then for each, ids ascending:
///   i64  id
///   i64  last seen  milliseconds since the Unix epoch
///   i16  epoch
///   u8   batches    1 to 5, then for each, oldest first:
///     i32  first sequence
///     i32  last offset delta
///     i64  base offset
///     i64  timestamp
/// </code>
/// </remarks>
internal static class PartitionCheckpoint
{
    private const byte Version = 1;
    private const int HeaderSize = 1 + 4;
    private const int ProducerSize = 8 + 8 + 2 + 1;
    private const int BatchSize = 4 + 4 + 8 + 8;

    public static byte[] Write(ProducerState producers)
    {
        var ids = producers.Ids();
        var size = HeaderSize;
        foreach (var id in ids)
        {
            size += ProducerSize + (producers.TryGet(id, out var producer) ? producer.Count * BatchSize : 0);
        }

        var bytes = new byte[size];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), ids.Length);
        var rest = bytes.AsSpan(HeaderSize);
        foreach (var id in ids)
        {
            if (producers.TryGet(id, out var producer))
            {
                rest = WriteProducer(rest, id, producer);
            }
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">The version is unknown, or the bytes are no checkpoint.</exception>
    public static ProducerState Read(ReadOnlySpan<byte> bytes)
    {
        Require(bytes.Length >= HeaderSize, "it is too short");
        Require(bytes[0] == Version, $"its version {bytes[0]} is unknown here");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]);
        var rest = bytes[HeaderSize..];
        Require(count >= 0 && count <= rest.Length / ProducerSize, "it counts more producers than it can hold");
        var producers = new ProducerState();
        for (var i = 0; i < count; i++)
        {
            rest = ReadProducer(rest, producers);
        }

        Require(rest.IsEmpty, "bytes are left behind its end");
        return producers;
    }

    private static Span<byte> WriteProducer(Span<byte> to, long id, ProducerEntry producer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, id);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], producer.LastSeen);
        BinaryPrimitives.WriteInt16LittleEndian(to[16..], producer.Epoch);
        to[18] = (byte)producer.Count;
        to = to[ProducerSize..];
        for (var i = 0; i < producer.Count; i++)
        {
            var batch = producer[i];
            BinaryPrimitives.WriteInt32LittleEndian(to, batch.FirstSequence);
            BinaryPrimitives.WriteInt32LittleEndian(to[4..], batch.LastOffsetDelta);
            BinaryPrimitives.WriteInt64LittleEndian(to[8..], batch.BaseOffset);
            BinaryPrimitives.WriteInt64LittleEndian(to[16..], batch.Timestamp);
            to = to[BatchSize..];
        }

        return to;
    }

    private static ReadOnlySpan<byte> ReadProducer(ReadOnlySpan<byte> from, ProducerState producers)
    {
        Require(from.Length >= ProducerSize, "a producer is cut off");
        var id = BinaryPrimitives.ReadInt64LittleEndian(from);
        var lastSeen = BinaryPrimitives.ReadInt64LittleEndian(from[8..]);
        var epoch = BinaryPrimitives.ReadInt16LittleEndian(from[16..]);
        var batches = from[18];
        from = from[ProducerSize..];
        Require(batches is > 0 and <= ProducerEntry.RememberedBatches && from.Length >= batches * BatchSize, "a producer's batches are cut off");
        for (var i = 0; i < batches; i++)
        {
            var batch = new ProducerBatch(
                BinaryPrimitives.ReadInt32LittleEndian(from),
                BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(from[16..]));
            producers.Append(id, epoch, batch, lastSeen);
            from = from[BatchSize..];
        }

        return from;
    }

    private static void Require(bool holds, string reason)
    {
        if (!holds)
        {
            throw new InvalidDataException($"This is no checkpoint of a partition that can be read: {reason}.");
        }
    }
}
