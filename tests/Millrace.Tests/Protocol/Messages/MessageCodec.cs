using System.Buffers;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Messages;

/// <summary>Reads and writes messages whose class is known only at run time.</summary>
internal abstract class MessageCodec
{
    public static MessageCodec For(Type type) => (MessageCodec)Activator.CreateInstance(typeof(Typed<>).MakeGenericType(type))!;

    public abstract VersionRange Versions { get; }

    public static byte[] Write(IMessage message, short version)
    {
        var output = new ArrayBufferWriter<byte>(1);
        var writer = new KafkaWriter(output);
        message.Write(ref writer, version);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    public static long Measure(IMessage message, short version)
    {
        var writer = default(KafkaWriter);
        message.Write(ref writer, version);
        return writer.BytesWritten;
    }

    /// <summary>Reads a message that must fill the bytes to their end.</summary>
    public abstract IMessage Read(ReadOnlyMemory<byte> bytes, short version);

    private sealed class Typed<T> : MessageCodec
        where T : class, IVersionedMessage<T>
    {
        public override VersionRange Versions => T.Versions;

        public override IMessage Read(ReadOnlyMemory<byte> bytes, short version)
        {
            var reader = new KafkaReader(bytes);
            var message = T.Read(ref reader, version);
            reader.ExpectEnd();
            return message;
        }
    }
}
