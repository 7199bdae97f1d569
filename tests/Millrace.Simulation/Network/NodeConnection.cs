using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>A connection between two machines: an end on each one's lane, and the network between them.</summary>
internal sealed class NodeConnection
{
    private readonly SimulatedNetwork _network;
    private readonly (string Host, Lane Lane) _from;
    private readonly (string Host, Lane Lane) _to;
    private bool _isReset;

    public NodeConnection(SimulationKernel kernel, SimulatedNetwork network, (string Host, Lane Lane) from, (string Host, Lane Lane) to)
    {
        (_network, _from, _to) = (network, from, to);
        Client = new NodeConnectionEnd(kernel.World, from.Lane);
        Server = new NodeConnectionEnd(kernel.World, to.Lane);
        _ = kernel.World.Run(() => CarryAsync(Client, Server, from.Host, to.Host));
        _ = kernel.World.Run(() => CarryAsync(Server, Client, to.Host, from.Host));
    }

    public NodeConnectionEnd Client { get; }

    public NodeConnectionEnd Server { get; }

    public bool IsBetween(string one, string other) => (_from.Host == one && _to.Host == other) || (_from.Host == other && _to.Host == one);

    public bool Touches(Lane lane) => _from.Lane == lane || _to.Lane == lane;

    /// <summary>Both sides find it cut, and what was on its way is lost.</summary>
    public void Reset()
    {
        if (!_isReset)
        {
            _isReset = true;
            _network.Ended(this);
            Client.Cut();
            Server.Cut();
        }
    }

    private async Task CarryAsync(NodeConnectionEnd source, NodeConnectionEnd target, string from, string to)
    {
        try
        {
            while (true)
            {
                var read = await source.Sent.ReadAsync();
                await _network.PassAsync(from, to);
                if (_isReset)
                {
                    return;
                }

                foreach (var part in read.Buffer)
                {
                    target.Received.Write(part.Span);
                }

                source.Sent.AdvanceTo(read.Buffer.End);
                await target.Received.FlushAsync();
                if (read.IsCompleted)
                {
                    target.PeerHasEnded();
                    return;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or ConnectionAbortedException or InvalidOperationException)
        {
            Reset();
        }
    }
}
