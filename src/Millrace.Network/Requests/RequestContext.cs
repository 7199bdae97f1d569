using Millrace.Network.Access;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Requests;

/// <summary>What surrounds one request. Lives until its response is written.</summary>
/// <remarks>Threading: the handler's flow only, except that <see cref="AllowNext"/> may be called by any thread.</remarks>
internal abstract class RequestContext
{
    public required short ApiVersion { get; init; }

    public required int CorrelationId { get; init; }

    /// <summary>As the client calls itself; null if it does not.</summary>
    public required string? ClientId { get; init; }

    public required AccessCheck Access { get; init; }

    public ClientConnection Connection => Access.Client;

    /// <summary>Holds the request's bytes until the call completes; <see cref="PooledBuffer.Retain"/> it to keep slices longer.</summary>
    public required PooledBuffer Frame { get; init; }

    /// <summary>
    /// Lets the connection's next request begin although this one has not completed: it has taken its place in every order that
    /// matters (a produce has its offsets). May be called more than once.
    /// </summary>
    public abstract void AllowNext();

    /// <summary>
    /// Disposes something when the response has been written or given up: the lease of memory that the response refers to. Until then the
    /// connection's next request does not begin, unless <see cref="AllowNext"/> is called.
    /// </summary>
    public abstract void ReleaseAfterResponse(IDisposable lease);

    /// <summary>Sends no response to this request (produce with acks=0).</summary>
    public abstract void SuppressResponse();

    /// <summary>Closes the connection in this response's turn, instead of answering: the only way to tell a client with acks=0 of an error.</summary>
    public abstract void Disconnect();

    /// <summary>Closes the connection behind this response. Of requests behind it none is answered any more.</summary>
    public abstract void DisconnectAfterResponse();
}
