using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Channel;

/// <summary>
/// The one way to ask the cluster's controller for anything, whether it lives in this process or elsewhere: in Kafka's messages where Kafka has
/// them (topics, configs, producer ids), else in those of <c>Schemas/Controller</c> (nodes, WALs, streams, objects).
/// </summary>
/// <remarks>
/// Everything is idempotent: a sender that lost an answer asks again. The controller validates everything anew, its own node's requests like
/// anybody's; what it answers is committed. A message of a node names the incarnation that sends it.
/// Threading: any thread. Answers never depend on a version: a response's fields are all set, and the codec drops what a client's version lacks.
/// </remarks>
public interface IControllerChannel
{
    /// <summary>Asks, and waits until the image that this node holds shows what the answer rests on: what was done can be read.</summary>
    /// <returns>The answer. Errors of single items are in it, in request order.</returns>
    /// <param name="request">One that the controller knows.</param>
    /// <param name="token">The sender's patience: ends the wait, not the deed.</param>
    /// <exception cref="ControllerException">The request was refused as a whole.</exception>
    ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>;
}
