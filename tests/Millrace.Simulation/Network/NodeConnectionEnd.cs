using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>One machine's end of a connection: two pipes, whose other ends are the network's.</summary>
internal sealed class NodeConnectionEnd : ConnectionContext
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Lane _lane;
    private readonly Pipe _in;
    private readonly Pipe _out;

    public NodeConnectionEnd(Lane network, Lane lane)
    {
        _lane = lane;
        _in = NewPipe(writer: network, reader: lane);
        _out = NewPipe(writer: lane, reader: network);
        Transport = new Duplex(_in.Reader, _out.Writer);
        ConnectionClosed = _closed.Token;
    }

    /// <summary>What this end sends, for the network to carry.</summary>
    public PipeReader Sent => _out.Reader;

    /// <summary>Where the network puts what arrives.</summary>
    public PipeWriter Received => _in.Writer;

    public override string ConnectionId { get; set; } = "";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    /// <summary>All that the other end has sent has arrived, and no more comes.</summary>
    public void PeerHasEnded()
    {
        Received.Complete();
        _lane.Post(_closed.Cancel);
    }

    /// <summary>The network cuts it.</summary>
    public void Cut()
    {
        Received.Complete(new ConnectionResetException("The network has cut the connection"));
        Sent.Complete();
        _lane.Post(_closed.Cancel);
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
        return base.DisposeAsync();
    }

    private static Pipe NewPipe(Lane writer, Lane reader) => new(new PipeOptions(
        readerScheduler: new LanePipeScheduler(reader), writerScheduler: new LanePipeScheduler(writer), useSynchronizationContext: false));

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
