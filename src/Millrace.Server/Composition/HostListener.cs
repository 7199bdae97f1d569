using System.Net;
using Microsoft.AspNetCore.Connections;
using Millrace.Metadata.Image;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>
/// A listening socket that outlives the incarnations that accept on it. While there is none, clients that connect wait in its backlog for the next.
/// </summary>
/// <param name="bound">The socket, which this owns.</param>
/// <param name="listener">As the settings have it.</param>
internal sealed class HostListener(IConnectionListener bound, Listener listener) : IAsyncDisposable
{
    public ListenerName Name => listener.Name;

    /// <summary>Where clients are told to come; null if they are not told of it.</summary>
    public NodeEndpoint? Endpoint => listener.EndpointAt(bound.EndPoint);

    /// <summary>With the port that was bound.</summary>
    public EndPoint EndPoint => bound.EndPoint;

    /// <summary>For people and scripts on this machine: where it is bound, and of one on every interface where clients are told to come.</summary>
    public string Address => listener.Bind.IsEveryInterface && Endpoint is { } told
        ? new HostPort(told.Host, told.Port).ToString()
        : $"{bound.EndPoint}";

    /// <summary>For one incarnation: unbinding what is lent ends its accepting, and leaves the socket to the next. One accepts at a time.</summary>
    public IConnectionListener Lend() => new Lent(bound);

    /// <summary>Closes the socket: connecting is refused from now on, and whoever accepts is told.</summary>
    public ValueTask UnbindAsync() => bound.UnbindAsync();

    public ValueTask DisposeAsync() => bound.DisposeAsync();

    private sealed class Lent(IConnectionListener bound) : IConnectionListener
    {
        private readonly CancellationTokenSource _over = new();

        public EndPoint EndPoint => bound.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, cancellationToken);
            try
            {
                return await bound.AcceptAsync(either.Token);
            }
            catch (OperationCanceledException) when (_over.IsCancellationRequested)
            {
                return null;
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _over.Cancel();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            _over.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
