using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Requests;

/// <summary>Serves one API of the Kafka protocol. One file each, listed in <c>ApiTable</c>, from which ApiVersions is derived.</summary>
/// <remarks>
/// Threading: <see cref="HandleAsync"/> is called on the connection's loop and must not block; calls of different
/// connections run at once. Order: the next request of a connection begins when this one has completed, as in Kafka,
/// unless the handler lets it begin earlier (<see cref="RequestContext.AllowNext"/>). Answers always leave in request order.
/// Errors: what Kafka has a code for is answered with that code. A <see cref="ProtocolException"/>, or any
/// other exception, closes the connection; the latter is logged as a fault of ours.
/// Ownership: bytes and records of the request are slices of <see cref="RequestContext.Frame"/>, valid until the call
/// completes; retain the frame, or copy, to keep them. Memory that the response refers to must stay valid until
/// it is written: see <see cref="RequestContext.ReleaseAfterResponse"/>.
/// </remarks>
internal interface IApiHandler<TRequest, TResponse>
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    static abstract VersionRange Versions { get; }

    /// <summary>
    /// Whether a call goes on when its client disconnects. Produce does: a client with acks=0 sends and leaves. Others see
    /// their token cancelled.
    /// </summary>
    static virtual bool OutlivesConnection => false;

    /// <summary>Names every error code of an answer, 0 included: operators see which APIs fail, and of what.</summary>
    void ReportErrors(TResponse response, ErrorTally errors);

    /// <summary>
    /// Asks the request's <see cref="RequestContext.Access"/> for everything that the request wants to do, of each resource that it names;
    /// the first refusal is the error, and the whole request is refused. That is so until there are ACLs: Kafka refuses the resources that are
    /// forbidden, each in its own part of the answer, and serves the others. Of what a request does not name (a list of all topics) the handler
    /// leaves out what its sender may not see.
    /// Called only for senders whose access is restricted.
    /// </summary>
    ErrorCode Authorize(RequestContext context, TRequest request);

    /// <summary>Answers a request that nothing is done about: with an error, wherever the answer has room for one.</summary>
    /// <param name="context">The request's surroundings.</param>
    /// <param name="request">Decoded at the context's version.</param>
    /// <param name="error">Why.</param>
    TResponse Refuse(RequestContext context, TRequest request, ErrorCode error);

    /// <param name="context">The request's surroundings, valid until the response is written.</param>
    /// <param name="request">Decoded at the context's version.</param>
    /// <param name="token">Cancelled when nobody waits for the answer any more, or the server gives up draining.</param>
    ValueTask<TResponse> HandleAsync(RequestContext context, TRequest request, CancellationToken token);
}
