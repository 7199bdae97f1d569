using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>The server's end of a connection between two lanes, and the pipe for the client's end.</summary>
internal sealed class SimulatedConnection : ConnectionContext
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Lane _server;

    public SimulatedConnection(Lane client, Lane server, string id)
    {
        _server = server;
        ConnectionId = id;
        var request = NewPipe(writer: client, reader: server);
        var response = NewPipe(writer: server, reader: client);
        Transport = new Duplex(request.Reader, response.Writer);
        Client = new Duplex(response.Reader, request.Writer);
        ConnectionClosed = _closed.Token;
        RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 1024);
    }

    public IDuplexPipe Client { get; }

    /// <summary>Called once, when the server can send nothing on it any more.</summary>
    public Action? LetGo { get; set; }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    /// <summary>The client goes: the server hears of it on its own lane.</summary>
    public void Close()
    {
        Client.Output.Complete();
        Client.Input.Complete();
        _server.Post(_closed.Cancel);
    }

    /// <summary>The network cuts the connection: each side finds it reset, and what was on its way may not arrive.</summary>
    public void Cut()
    {
        Client.Output.Complete(new ConnectionResetException("The network has cut the connection"));
        Client.Input.CancelPendingRead();
        _server.Post(_closed.Cancel);
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        Transport.Input.CancelPendingRead();
        Transport.Output.Complete(abortReason);
        _closed.Cancel();
    }

    public override ValueTask DisposeAsync()
    {
        Transport.Input.Complete();
        Transport.Output.Complete();
        LetGo?.Invoke();
        LetGo = null;
        return base.DisposeAsync();
    }

    private static Pipe NewPipe(Lane writer, Lane reader) => new(new PipeOptions(
        readerScheduler: new LanePipeScheduler(reader), writerScheduler: new LanePipeScheduler(writer), useSynchronizationContext: false));

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
