namespace Millrace.Streams;

/// <summary>The media a WAL can lie on. Numbers are stored.</summary>
public enum WalKind : byte
{
    Memory = 1,
    File = 2,
    Object = 3,
    Block = 4,
}
