using CsCheck;
using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Records;

/// <summary>Random records and codecs.</summary>
internal static class RecordGen
{
    public static readonly CompressionCodec[] Codecs = Enum.GetValues<CompressionCodec>();

    private static readonly Gen<byte[]?> Bytes = Gen.Frequency(
        (1, Gen.Const((byte[]?)null)),
        (1, Gen.Const<byte[]?>([])),
        (6, Gen.Byte.Array[0, 200].Select(bytes => (byte[]?)bytes)),
        (1, Gen.Select(Gen.Byte, Gen.Int[0, 100_000]).Select((value, length) => (byte[]?)Enumerable.Repeat(value, length).ToArray())));

    private static readonly Gen<RecordHeader> Header = Gen.Select(Gen.String[0, 20].Select(Wellformed), Bytes)
        .Select((key, value) => new RecordHeader(key, value is null ? (ReadOnlyMemory<byte>?)null : value));

    public static readonly Gen<(long Timestamp, byte[]? Key, byte[]? Value, RecordHeader[] Headers)> Record =
        Gen.Select(Gen.Long[0, 1L << 45], Bytes, Bytes, Header.Array[0, 3]);

    public static readonly Gen<CompressionCodec> Codec = Gen.Int[0, Codecs.Length - 1].Select(index => Codecs[index]);

    /// <summary>A string that UTF-8 can hold.</summary>
    public static string Wellformed(string text) => string.Concat(text.EnumerateRunes());
}
