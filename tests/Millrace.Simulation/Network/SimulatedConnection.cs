using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>A server's end of a client's connection, and the pipes for the client's: nothing is between them that would take its time.</summary>
internal sealed class SimulatedConnection : ConnectionEnd
{
    public SimulatedConnection(Lane client, Lane server, string id)
        : this(server, NewPipe(writer: client, reader: server), NewPipe(writer: server, reader: client)) => ConnectionId = id;

    private SimulatedConnection(Lane server, Pipe request, Pipe response)
        : base(server, request.Reader, response.Writer) => Client = new Duplex(response.Reader, request.Writer);

    public IDuplexPipe Client { get; }

    /// <summary>The client goes: the server hears of it on its own lane.</summary>
    public void Close()
    {
        Client.Output.Complete();
        Client.Input.Complete();
        HearsOfEnd();
    }

    /// <summary>The network cuts the connection: each side finds it reset, and what was on its way may not arrive.</summary>
    public void Cut()
    {
        Client.Output.Complete(new ConnectionResetException("The network has cut the connection"));
        Client.Input.CancelPendingRead();
        HearsOfEnd();
    }
}
