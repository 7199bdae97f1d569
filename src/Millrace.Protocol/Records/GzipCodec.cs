using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Millrace.Protocol.Records;

/// <summary>
/// Gzip, RFC 1952: one member or several, each complete, and nothing behind them. The library's own reader takes a member
/// whose trailer is cut, and does not tell where one ends, so the members are taken apart here.
/// </summary>
internal static class GzipCodec
{
    private const int Chunk = 16 * 1024;
    private const int FastLevel = 1;

    /// <summary>CRC-32 and length of the content, four bytes each.</summary>
    private const int TrailerSize = 8;

    public static DecompressionOutcome Decompress(ReadOnlyMemory<byte> compressed, DecompressedRecords output)
    {
        var java = new JavaGzipReading(compressed.Length);
        var at = 0;
        do
        {
            if (!GzipHeader.TrySkip(compressed.Span[at..], out var headerSize) || !java.TryBeginMember(at, headerSize))
            {
                return DecompressionOutcome.Malformed;
            }

            at += headerSize;
            var contentAt = output.Length;
            var outcome = Inflate(compressed[at..], output, out var size);
            if (outcome != DecompressionOutcome.Done)
            {
                return outcome;
            }

            at += size;
            java.EndContent(at);
            var content = output.Span[contentAt..];
            if (compressed.Length - at < TrailerSize
                || BinaryPrimitives.ReadUInt32LittleEndian(compressed.Span[at..]) != Crc32.HashToUInt32(content)
                || BinaryPrimitives.ReadUInt32LittleEndian(compressed.Span[(at + sizeof(uint))..]) != (uint)content.Length)
            {
                return DecompressionOutcome.Malformed;
            }

            at += TrailerSize;
        }
        while (at < compressed.Length);
        return output.Length == 0 ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
    }

    public static void Compress(int? level, ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, new ZLibCompressionOptions { CompressionLevel = level ?? FastLevel }, leaveOpen: true))
        {
            gzip.Write(records);
        }

        output.Write(target.GetBuffer().AsSpan(0, (int)target.Length));
    }

    /// <summary>Inflates what stands at the beginning of some bytes, and finds out how many of them it is.</summary>
    private static DecompressionOutcome Inflate(ReadOnlyMemory<byte> bytes, DecompressedRecords output, out int size)
    {
        // Most often this member is the last, and only its final byte needs to be given alone. Where it ends earlier, it is
        // read once more up to the part in which it ended, and from there byte by byte.
        var contentAt = output.Length;
        var steps = Math.Max(0, bytes.Length - TrailerSize - 1);
        while (true)
        {
            using var source = new SteppedReadStream(bytes, steps);
            var outcome = Inflate(source, output);
            size = (int)source.Position;
            if (outcome != DecompressionOutcome.Done || source.IsExact)
            {
                return outcome;
            }

            steps = source.LatestAt;
            output.Shorten(contentAt);
        }
    }

    private static DecompressionOutcome Inflate(SteppedReadStream source, DecompressedRecords output)
    {
        try
        {
            using var deflate = new DeflateStream(source, CompressionMode.Decompress);
            while (true)
            {
                var room = output.Reserve(Chunk);
                if (room.IsEmpty)
                {
                    return deflate.ReadByte() >= 0 ? DecompressionOutcome.TooLarge
                        : source.HasRunOut ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
                }

                var read = deflate.Read(room);
                if (read == 0)
                {
                    return source.HasRunOut ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
                }

                output.Advance(read);
            }
        }
        catch (InvalidDataException)
        {
            return DecompressionOutcome.Malformed;
        }
        catch (IOException)
        {
            // The source never fails: this is the library's word for zlib having got no memory.
            return DecompressionOutcome.OutOfMemory;
        }
    }
}
