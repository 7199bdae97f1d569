using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Requests;

/// <summary>One API that is served: which handler serves which versions, and what its requests pass before they come to it.</summary>
internal abstract class ApiEntry(ApiKey key, VersionRange versions)
{
    public ApiKey Key => key;

    /// <summary>For people.</summary>
    public abstract string Name { get; }

    public VersionRange Versions => versions;

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
            new Call(handler, throttle, TRequest.Read(ref reader, head.Version))
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

        private sealed class Call(THandler handler, IThrottle throttle, TRequest request) : RequestCall
        {
            private TResponse? _response;

            public override void WriteResponse(ref KafkaWriter writer) => _response!.Write(ref writer, ApiVersion);

            public override void ReportErrors(ErrorTally errors) => handler.ReportErrors(_response!, errors);

            protected override async Task HandleAsync(CancellationToken token)
            {
                try
                {
                    var refusal = Access.IsUnrestricted ? ErrorCode.None : handler.Authorize(this, request);
                    Pause = throttle.Charge(this);
                    _response = refusal == ErrorCode.None ? await handler.HandleAsync(this, request, token) : handler.Refuse(this, request, refusal);
                    if (Pause > TimeSpan.Zero && _response is IThrottledResponse throttled)
                    {
                        throttled.ThrottleTimeMs = (int)Math.Min(Pause.TotalMilliseconds, int.MaxValue);
                    }
                }
                finally
                {
                    // An answer that holds memory is written first: else a client that asks and does not listen would hold as many as it may ask for.
                    if (!HoldsMemory)
                    {
                        AllowNext();
                    }
                }
            }
        }
    }
}
