using System.Buffers;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Metadata.Channel;

/// <summary>Requests and answers of the channel as bytes: a head, then the message in the version that the request's head names.</summary>
public static class ControllerFrames
{
    public static ReadOnlyMemory<byte> Write<TRequest>(TRequest request, MetadataVersion known)
        where TRequest : class, IRequest<TRequest> =>
        Write(
            new ControllerRequestHead
            {
                ApiKey = (short)TRequest.ApiKey,
                ApiVersion = TRequest.Versions.Max,
                VersionTerm = known.Term,
                VersionIndex = known.Index,
            },
            request,
            TRequest.Versions.Max);

    public static ReadOnlyMemory<byte> Write<TResponse>(ControllerAnswer<TResponse> answer, short version)
        where TResponse : class, IResponse<TResponse> =>
        Write(
            new ControllerResponseHead
            {
                ErrorCode = (short)answer.Error,
                ErrorMessage = answer.Message,
                VersionTerm = answer.Version.Term,
                VersionIndex = answer.Version.Index,
            },
            answer.Response,
            version);

    /// <summary>Reads a request's head; the message follows in the reader.</summary>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static ControllerRequestHead ReadHead(ref KafkaReader reader) => ControllerRequestHead.Read(ref reader, ControllerRequestHead.Versions.Max);

    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static ControllerAnswer<TResponse> ReadAnswer<TResponse>(ReadOnlyMemory<byte> bytes, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(bytes);
        var head = ControllerResponseHead.Read(ref reader, ControllerResponseHead.Versions.Max);
        var response = (ControllerError)head.ErrorCode == ControllerError.None ? TResponse.Read(ref reader, version) : null;
        reader.ExpectEnd();
        return new(new(head.VersionTerm, head.VersionIndex), (ControllerError)head.ErrorCode, head.ErrorMessage, response);
    }

    private static ReadOnlyMemory<byte> Write<THead>(THead head, IMessage? message, short version)
        where THead : class, IVersionedMessage<THead>
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        head.Write(ref writer, THead.Versions.Max);
        message?.Write(ref writer, version);
        writer.Flush();
        return output.WrittenMemory;
    }
}
