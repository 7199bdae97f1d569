using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>One machine's end of a connection, as its process holds it.</summary>
internal abstract class ConnectionEnd : ConnectionContext
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Lane _lane;

    /// <param name="lane">Of the process.</param>
    /// <param name="input">What arrives.</param>
    /// <param name="output">What is sent.</param>
    protected ConnectionEnd(Lane lane, PipeReader input, PipeWriter output)
    {
        _lane = lane;
        Transport = new Duplex(input, output);
        ConnectionClosed = _closed.Token;
        RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 1024);
    }

    /// <summary>Called once, when the process can send nothing on it any more.</summary>
    public Action? LetGo { get; set; }

    public override string ConnectionId { get; set; } = "";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

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

    /// <summary>The process hears on its own lane that the other end is gone.</summary>
    protected void HearsOfEnd() => _lane.Post(_closed.Cancel);

    protected static Pipe NewPipe(Lane writer, Lane reader) => new(new PipeOptions(
        readerScheduler: new LanePipeScheduler(reader), writerScheduler: new LanePipeScheduler(writer), useSynchronizationContext: false));

    protected sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
