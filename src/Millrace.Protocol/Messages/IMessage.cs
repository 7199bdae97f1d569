using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Messages;

/// <summary>Anything that has a place on the wire: a message, or a structure in one.</summary>
public interface IMessage
{
    /// <summary>Writes the encoding of one version. The caller flushes the writer.</summary>
    /// <exception cref="ProtocolException">A value that must not be lost has no place in this version, or is null or too long where it must not be.</exception>
    void Write(ref KafkaWriter writer, short version);
}
