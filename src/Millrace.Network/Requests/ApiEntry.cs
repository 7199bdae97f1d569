using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Requests;

/// <summary>One API that is served: which handler serves which versions.</summary>
internal abstract class ApiEntry(ApiKey key, ApiVersionRange versions)
{
    public ApiKey Key => key;

    /// <summary>For people.</summary>
    public abstract string Name { get; }

    public ApiVersionRange Versions => versions;

    public static ApiEntry For<THandler, TRequest, TResponse>(THandler handler)
        where THandler : IApiHandler<TRequest, TResponse>
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> => new Typed<THandler, TRequest, TResponse>(handler);

    /// <summary>Whether a version has compact lengths and tagged fields, in the header before the request, too.</summary>
    public abstract bool IsFlexible(short version);

    /// <summary>Decodes a request whose version this serves.</summary>
    /// <param name="head">What stood before the body.</param>
    /// <param name="reader">At the body.</param>
    /// <param name="frame">Whose slices the request's bytes are.</param>
    /// <param name="access">Who asks, and what they may do.</param>
    /// <param name="throttle">How fast they may ask.</param>
    /// <exception cref="ProtocolException">The body is malformed.</exception>
    public abstract RequestCall Decode(RequestHead head, ref KafkaReader reader, PooledBuffer frame, AccessCheck access, IThrottle throttle);

    private sealed class Typed<THandler, TRequest, TResponse>(THandler handler) : ApiEntry(TRequest.ApiKey, THandler.Versions)
        where THandler : IApiHandler<TRequest, TResponse>
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        public override string Name { get; } = typeof(TRequest).Name.Replace("Request", "", StringComparison.Ordinal);

        public override bool IsFlexible(short version) => TRequest.IsFlexible(version);

        public override RequestCall Decode(RequestHead head, ref KafkaReader reader, PooledBuffer frame, AccessCheck access, IThrottle throttle) =>
            new HandlerCall<TRequest, TResponse>(handler, throttle, TRequest.Read(ref reader, head.Version))
            {
                Api = head.Api,
                ApiVersion = head.Version,
                CorrelationId = head.CorrelationId,
                ClientId = head.ClientId,
                Access = access,
                Frame = frame,
                OutlivesConnection = THandler.OutlivesConnection,
                HasFlexibleResponseHeader = head.Api != ApiKey.ApiVersions && TResponse.IsFlexible(head.Version),
            };
    }
}
