using System.Buffers.Binary;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;

namespace Millrace.Controller.Log;

/// <summary>The bytes of a snapshot's objects: parts of bounded size that make the state out of nothing, and the head that lists them.</summary>
/// <remarks>
/// Each object, big-endian: magic "MRMS" (4 bytes), format (2 bytes, 2), CRC-32C of the content (4 bytes), content. That is a <see cref="SnapshotHead"/>
/// behind its version, or in a part a <see cref="MetadataEntry"/>.
/// </remarks>
internal static class SnapshotFormat
{
    private const short Format = 2;
    private const int ChecksumAt = sizeof(int) + sizeof(short);
    private const int FrameSize = ChecksumAt + sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "MRMS"u8;

    /// <summary>A part's objects, one after the other as they are asked for, so that no more than one need be in memory.</summary>
    public static IEnumerable<byte[]> WriteParts(IEnumerable<IRecord> records, int partBytes) => MetadataEntry.WriteParts(records, partBytes).Select(Write);

    public static byte[] WriteHead(
        Snapshot snapshot, IReadOnlyList<SnapshotHead.Part> clusterParts, IReadOnlyList<SnapshotHead.Part> streamParts) =>
        Write(VersionedBytes.Encode(
            new SnapshotHead
            {
                NextTerm = snapshot.Start.Next.Term,
                NextIndex = snapshot.Start.Next.Index,
                After = snapshot.Start.After,
                Seals = [.. snapshot.Start.Seals.Select(seal => new SnapshotHead.Seal { Term = seal.Term, Index = seal.Index })],
                OwnerIncarnationId = snapshot.Owner.IncarnationId,
                OwnerHost = snapshot.Owner.Host,
                OwnerPort = snapshot.Owner.Port,
                ClusterParts = clusterParts,
                StreamParts = streamParts,
            },
            SnapshotHead.Versions.Max));

    /// <summary>How a head lists a part.</summary>
    public static SnapshotHead.Part Describe(byte[] part) =>
        new() { Length = part.Length, Checksum = BinaryPrimitives.ReadUInt32BigEndian(part.AsSpan(ChecksumAt)) };

    /// <exception cref="InvalidDataException">The bytes are no snapshot's, or are damaged.</exception>
    /// <exception cref="ProtocolException">A newer program wrote it.</exception>
    public static SnapshotHead ReadHead(ReadOnlyMemory<byte> bytes) => VersionedBytes.Decode<SnapshotHead>(Read(bytes));

    /// <summary>The content of a part, which is a <see cref="MetadataEntry"/>.</summary>
    /// <inheritdoc cref="ReadHead" path="/exception"/>
    public static ReadOnlyMemory<byte> ReadPart(ReadOnlyMemory<byte> bytes, SnapshotHead.Part listed)
    {
        var content = Read(bytes);
        return bytes.Length == listed.Length && Crc32C.Of(content.Span) == listed.Checksum
            ? content
            : throw new InvalidDataException("it is none of the parts that the head lists");
    }

    public static Snapshot ToSnapshot(SnapshotHead head, ClusterState state) =>
        new(
            new LogStart(new LogPlace(head.NextTerm, head.NextIndex), head.After, [.. head.Seals.Select(seal => new LogPlace(seal.Term, seal.Index))]),
            new ControllerSeal { IncarnationId = head.OwnerIncarnationId, Host = head.OwnerHost, Port = head.OwnerPort },
            state);

    private static byte[] Write(byte[] content)
    {
        var bytes = new byte[FrameSize + content.Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(Magic.Length), Format);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(ChecksumAt), Crc32C.Of(content));
        content.CopyTo(bytes.AsSpan(FrameSize));
        return bytes;
    }

    private static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.StartsWith(Magic))
        {
            throw new InvalidDataException("not of a metadata snapshot");
        }

        if (bytes.Length < FrameSize)
        {
            throw new InvalidDataException("it ends too early");
        }

        var format = BinaryPrimitives.ReadInt16BigEndian(bytes.Span[Magic.Length..]);
        if (format != Format)
        {
            throw new ProtocolException($"The metadata snapshot has format {format}, and this program knows {Format}: it was written by another one");
        }

        var content = bytes[FrameSize..];
        return Crc32C.Of(content.Span) == BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[ChecksumAt..])
            ? content
            : throw new InvalidDataException("a checksum does not match");
    }
}
