namespace Millrace.Runtime;

/// <summary>The node's source of randomness and of unique ids. Safe for use from any thread.</summary>
public abstract class NodeRandom
{
    /// <summary>A number in [0, <paramref name="exclusiveMax"/>).</summary>
    public abstract long NextInt64(long exclusiveMax);

    /// <summary>A number in [0, 1).</summary>
    public abstract double NextDouble();

    public abstract void NextBytes(Span<byte> destination);

    /// <summary>128 random bits in the form of a version 4 UUID; unguessable in production.</summary>
    public Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
