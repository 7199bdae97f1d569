using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>One machine's end of a connection between machines: two pipes, whose other ends are the network's.</summary>
internal sealed class NodeConnectionEnd : ConnectionEnd
{
    private readonly Pipe _in;
    private readonly Pipe _out;

    public NodeConnectionEnd(Lane network, Lane lane)
        : this(lane, NewPipe(writer: network, reader: lane), NewPipe(writer: lane, reader: network))
    {
    }

    private NodeConnectionEnd(Lane lane, Pipe input, Pipe output)
        : base(lane, input.Reader, output.Writer) => (_in, _out) = (input, output);

    /// <summary>What this end sends, for the network to carry.</summary>
    public PipeReader Sent => _out.Reader;

    /// <summary>Where the network puts what arrives.</summary>
    public PipeWriter Received => _in.Writer;

    /// <summary>All that the other end has sent has arrived, and no more comes.</summary>
    public void PeerHasEnded()
    {
        Received.Complete();
        HearsOfEnd();
    }

    /// <summary>The network cuts it.</summary>
    public void Cut()
    {
        Received.Complete(new ConnectionResetException("The network has cut the connection"));
        Sent.Complete();
        HearsOfEnd();
    }
}
