namespace Millrace.Protocol.Records;

/// <summary>How a batch's records are compressed: the lowest three bits of its attributes.</summary>
public enum CompressionCodec : byte
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}
