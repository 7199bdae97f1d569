using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Messages;

/// <summary>Something on the wire that can be read back.</summary>
public interface IMessageStruct<TSelf> : IMessage
    where TSelf : IMessageStruct<TSelf>
{
    /// <summary>Reads the encoding of one version. Bytes and records stay slices of the reader's frame.</summary>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    static abstract TSelf Read(ref KafkaReader reader, short version);
}
