using System.Buffers;
using System.Buffers.Binary;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;

namespace Millrace.Controller.Log;

/// <summary>A whole state as one object, with the place in the log behind it.</summary>
/// <remarks>
/// Layout, big-endian: magic "MRMS" (4 bytes), format (2 bytes, 1); then chunks, each of length (4 bytes), CRC-32C of its bytes
/// (4 bytes) and bytes; then a length of -1 and the number of chunks (4 bytes). The first chunk is a <see cref="SnapshotHead"/>
/// behind its version, each other one a <see cref="MetadataEntry"/>; together they make the state out of the empty one.
/// </remarks>
internal static class SnapshotFormat
{
    private const short Format = 1;
    private const int ChunkRecords = 4_096;
    private const int EndLength = -1;
    private const int ChunkHead = sizeof(int) + sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "MRMS"u8;

    public static byte[] Write(Snapshot snapshot)
    {
        var output = new ArrayBufferWriter<byte>();
        output.Write(Magic);
        BinaryPrimitives.WriteInt16BigEndian(output.GetSpan(sizeof(short)), Format);
        output.Advance(sizeof(short));
        WriteChunk(output, VersionedBytes.Encode(ToHead(snapshot), SnapshotHead.Versions.Max));
        var chunks = 1;
        foreach (var records in snapshot.State.ToRecords().Chunk(ChunkRecords))
        {
            WriteChunk(output, MetadataEntry.Write(records));
            chunks++;
        }

        var end = output.GetSpan(2 * sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(end, EndLength);
        BinaryPrimitives.WriteInt32BigEndian(end[sizeof(int)..], chunks);
        output.Advance(2 * sizeof(int));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>It has this format, every checksum matches, and nothing is missing at the end.</summary>
    public static bool IsWhole(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return ReadChunks(bytes).Count > 0;
        }
        catch (Exception unusable) when (unusable is InvalidDataException or ProtocolException)
        {
            return false;
        }
    }

    /// <exception cref="InvalidDataException">The bytes are no snapshot, or are damaged.</exception>
    /// <exception cref="ProtocolException">A newer program wrote it.</exception>
    public static Snapshot Read(ReadOnlyMemory<byte> bytes)
    {
        var chunks = ReadChunks(bytes);
        return chunks.Count == 0
            ? throw new InvalidDataException("it holds nothing")
            : FromHead(VersionedBytes.Decode<SnapshotHead>(chunks[0]), Build(chunks.Skip(1)));
    }

    // Not as entries: the version that the image had is among the records.
    private static ClusterState Build(IEnumerable<ReadOnlyMemory<byte>> chunks)
    {
        try
        {
            var builder = new ClusterStateBuilder();
            foreach (var record in chunks.SelectMany(MetadataEntry.Read))
            {
                builder.Add(record);
            }

            return builder.Build();
        }
        catch (Exception contradiction) when (ClusterState.IsContradiction(contradiction))
        {
            throw new InvalidDataException($"its records contradict each other: {contradiction.Message}", contradiction);
        }
    }

    /// <summary>All chunks, when each has been found right.</summary>
    private static List<ReadOnlyMemory<byte>> ReadChunks(ReadOnlyMemory<byte> bytes)
    {
        var rest = bytes;
        if (!Take(ref rest, Magic.Length).Span.SequenceEqual(Magic))
        {
            throw new InvalidDataException("not a metadata snapshot");
        }

        var format = BinaryPrimitives.ReadInt16BigEndian(Take(ref rest, sizeof(short)).Span);
        if (format != Format)
        {
            throw new ProtocolException($"The metadata snapshot has format {format}, and this program knows {Format}: it was written by a newer one");
        }

        var chunks = new List<ReadOnlyMemory<byte>>();
        while (true)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(Take(ref rest, sizeof(int)).Span);
            if (length == EndLength)
            {
                return BinaryPrimitives.ReadInt32BigEndian(Take(ref rest, sizeof(int)).Span) == chunks.Count && rest.IsEmpty
                    ? chunks
                    : throw new InvalidDataException("its end does not fit what it holds");
            }

            chunks.Add(TakeChunk(ref rest, length));
        }
    }

    private static void WriteChunk(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> chunk)
    {
        var head = output.GetSpan(ChunkHead);
        BinaryPrimitives.WriteInt32BigEndian(head, chunk.Length);
        BinaryPrimitives.WriteUInt32BigEndian(head[sizeof(int)..], Crc32C.Of(chunk));
        output.Advance(ChunkHead);
        output.Write(chunk);
    }

    private static ReadOnlyMemory<byte> TakeChunk(ref ReadOnlyMemory<byte> rest, int length)
    {
        var crc = BinaryPrimitives.ReadUInt32BigEndian(Take(ref rest, sizeof(uint)).Span);
        var chunk = Take(ref rest, length);
        return Crc32C.Of(chunk.Span) == crc ? chunk : throw new InvalidDataException("a checksum does not match");
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> rest, int length)
    {
        if (length < 0 || length > rest.Length)
        {
            throw new InvalidDataException("it ends too early");
        }

        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static SnapshotHead ToHead(Snapshot snapshot) =>
        new()
        {
            NextTerm = snapshot.Start.Next.Term,
            NextIndex = snapshot.Start.Next.Index,
            After = snapshot.Start.After,
            Seals = [.. snapshot.Start.Seals.Select(seal => new SnapshotHead.Seal { Term = seal.Term, Index = seal.Index })],
            OwnerIncarnationId = snapshot.Owner.IncarnationId,
            OwnerHost = snapshot.Owner.Host,
            OwnerPort = snapshot.Owner.Port,
        };

    private static Snapshot FromHead(SnapshotHead head, ClusterState state) =>
        new(
            new LogStart(new LogPlace(head.NextTerm, head.NextIndex), head.After, [.. head.Seals.Select(seal => new LogPlace(seal.Term, seal.Index))]),
            new ControllerSeal { IncarnationId = head.OwnerIncarnationId, Host = head.OwnerHost, Port = head.OwnerPort },
            state);
}
