using System.Buffers;
using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Messages;

/// <summary>
/// A message behind the number of its version: how values and keys of coordinators' records are stored, and how
/// consumers embed their subscriptions.
/// </summary>
public static class VersionedBytes
{
    public static byte[] Encode<T>(T message, short version)
        where T : class, IVersionedMessage<T> =>
        Encode(message, prefix: version, version);

    /// <summary>A coordinator's key: the number before it names the kind of key, and its own version is 0.</summary>
    public static byte[] EncodeKey<T>(T key, short keyVersion)
        where T : class, IVersionedMessage<T> =>
        Encode(key, prefix: keyVersion, version: 0);

    /// <exception cref="ProtocolException">The version is unknown or the bytes are malformed.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> bytes)
        where T : class, IVersionedMessage<T>
    {
        var reader = new KafkaReader(bytes);
        var version = reader.ReadInt16();
        return T.Read(ref reader, version);
    }

    /// <summary>
    /// Decodes what a peer may have written with a newer version than ours: versions only ever add fields at the end,
    /// so the highest known version reads it and leaves the rest.
    /// </summary>
    public static T DecodeLenient<T>(ReadOnlyMemory<byte> bytes)
        where T : class, IVersionedMessage<T>
    {
        var reader = new KafkaReader(bytes);
        var version = reader.ReadInt16();
        return T.Read(ref reader, version < T.Versions.Min ? version : Math.Min(version, T.Versions.Max));
    }

    /// <summary>A coordinator's key, whose leading number the caller has looked at to know its kind.</summary>
    public static T DecodeKey<T>(ReadOnlyMemory<byte> bytes)
        where T : class, IVersionedMessage<T>
    {
        var reader = new KafkaReader(bytes);
        reader.ReadInt16();
        return T.Read(ref reader, version: 0);
    }

    /// <summary>The number at the front.</summary>
    public static short PeekVersion(ReadOnlyMemory<byte> bytes) => new KafkaReader(bytes).ReadInt16();

    private static byte[] Encode<T>(T message, short prefix, short version)
        where T : class, IVersionedMessage<T>
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteInt16(prefix);
        message.Write(ref writer, version);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }
}
