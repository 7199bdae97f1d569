using System.Buffers;
using System.IO.Compression;

namespace Millrace.Protocol;

/// <summary>Gzip, RFC 1952.</summary>
internal static class GzipCodec
{
    private const int Chunk = 16 * 1024;
    private const int FastLevel = 1;

    public static DecompressionOutcome Decompress(ReadOnlyMemory<byte> compressed, DecompressedRecords output)
    {
        using var source = new MemoryReadStream(compressed);
        using var gzip = new GZipStream(source, CompressionMode.Decompress);
        try
        {
            while (true)
            {
                var room = output.Reserve(Chunk);
                if (room.IsEmpty)
                {
                    return gzip.ReadByte() < 0 ? DecompressionOutcome.Done : DecompressionOutcome.TooLarge;
                }

                var read = gzip.Read(room);
                if (read == 0)
                {
                    // No header at all reads as an empty stream.
                    return output.Length == 0 ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
                }

                output.Advance(read);
            }
        }
        catch (InvalidDataException)
        {
            return DecompressionOutcome.Malformed;
        }
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
}
