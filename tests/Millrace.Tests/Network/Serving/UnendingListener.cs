using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Millrace.Tests.Network.Serving;

/// <summary>Accepts one connection, whose peer has left already, and whose own end fails.</summary>
internal sealed class UnendingListener : IConnectionListener
{
    private readonly TaskCompletionSource<ConnectionContext?> _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _accepted;

    public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 1);

    /// <summary>Lets the peer leave.</summary>
    public Pipe Input { get; } = new();

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (_accepted)
        {
            return new(_unbound.Task);
        }

        _accepted = true;
        return new(new Connection(Input.Reader));
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.TrySetResult(null);
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private sealed class Connection : DefaultConnectionContext
    {
        public Connection(PipeReader input)
            : base("unending") => Transport = new Ends(input, new Pipe().Writer);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            throw new InvalidOperationException("It does not end, says the test");
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
