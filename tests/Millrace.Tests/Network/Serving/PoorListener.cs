using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Millrace.Tests.Network.Serving;

/// <summary>Accepts two connections: of the first there is no memory to serve it, and the second is silent.</summary>
internal sealed class PoorListener : IConnectionListener
{
    private readonly TaskCompletionSource<ConnectionContext?> _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pipe _input = new();
    private int _accepted;

    public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 1);

    public Connection First { get; } = new(() => throw new InsufficientMemoryException("none, says the test"));

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => ++_accepted switch
    {
        1 => new(First),
        2 => new(new Connection(() => new Ends(_input.Reader, new Pipe().Writer))),
        _ => new(_unbound.Task),
    };

    /// <summary>Lets the second peer leave.</summary>
    public void Leave() => _input.Writer.Complete();

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.TrySetResult(null);
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    internal sealed class Connection(Func<IDuplexPipe> transport) : DefaultConnectionContext("poor")
    {
        public bool IsDisposed { get; private set; }

        public override IDuplexPipe Transport
        {
            get => transport();
            set => throw new NotSupportedException();
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            // Nobody waits to hear of it.
        }

        public override ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return base.DisposeAsync();
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
