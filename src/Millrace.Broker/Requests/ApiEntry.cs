using Millrace.Broker.Network;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Requests;

/// <summary>One line of the API table: which handler serves which versions.</summary>
internal abstract class ApiEntry(ApiKey key, ApiVersionRange versions)
{
    public ApiKey Key => key;

    public ApiVersionRange Versions => versions;

    public static ApiEntry For<THandler, TRequest, TResponse>(THandler handler)
        where THandler : IApiHandler<TRequest, TResponse>
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> => new Typed<THandler, TRequest, TResponse>(handler);

    /// <summary>Decodes a request whose version this serves.</summary>
    /// <param name="head">What stood before the body.</param>
    /// <param name="reader">At the body.</param>
    /// <param name="frame">The call's from now on, if this returns.</param>
    /// <param name="own">What the frame took of its connection's budget.</param>
    /// <param name="client">Who asks.</param>
    /// <exception cref="ProtocolException">The body is malformed.</exception>
    public abstract RequestCall Decode(RequestHead head, ref KafkaReader reader, RequestFrame frame, BudgetLease own, ClientConnection client);

    private sealed class Typed<THandler, TRequest, TResponse>(THandler handler) : ApiEntry(TRequest.ApiKey, THandler.Versions)
        where THandler : IApiHandler<TRequest, TResponse>
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        public override RequestCall Decode(RequestHead head, ref KafkaReader reader, RequestFrame frame, BudgetLease own, ClientConnection client) =>
            new HandlerCall<TRequest, TResponse>(handler, TRequest.Read(ref reader, head.Version))
            {
                Api = head.Api,
                ApiVersion = head.Version,
                CorrelationId = head.CorrelationId,
                ClientId = head.ClientId,
                Connection = client,
                RequestFrame = frame,
                Frame = frame.Buffer,
                OwnLease = own,
                OutlivesConnection = THandler.OutlivesConnection,
                HasFlexibleResponseHeader = head.Api != ApiKey.ApiVersions && TResponse.IsFlexible(head.Version),
            };
    }
}
