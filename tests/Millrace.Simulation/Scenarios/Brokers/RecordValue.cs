using System.Buffers.Binary;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// What a record holds: whose it is, its number, and bytes that follow from both, so that every byte that is fetched can be compared. Those
/// of even numbers compress well, the others not at all.
/// </summary>
public static class RecordValue
{
    public const int HeadBytes = 2 * sizeof(int);

    /// <param name="partition">The tag of its partition.</param>
    /// <param name="record">Its number there.</param>
    /// <param name="length">At least <see cref="HeadBytes"/>.</param>
    public static byte[] Of(int partition, int record, int length)
    {
        var value = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(value, partition);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(sizeof(int)), record);
        var body = value.AsSpan(HeadBytes);
        if (record % 2 == 0)
        {
            body.Fill((byte)record);
            return value;
        }

        // Xorshift, a word at a time: of seeds that are not zero.
        var state = ((ulong)(uint)partition << 32 | (uint)record) * 0x9E3779B97F4A7C15;
        while (body.Length >= sizeof(ulong))
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            BinaryPrimitives.WriteUInt64LittleEndian(body, state);
            body = body[sizeof(ulong)..];
        }

        body.Fill((byte)state);
        return value;
    }

    public static (int Partition, int Record) Read(ReadOnlySpan<byte> value) => value.Length < HeadBytes
        ? (-1, -1)
        : (BinaryPrimitives.ReadInt32BigEndian(value), BinaryPrimitives.ReadInt32BigEndian(value[sizeof(int)..]));
}
