using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Broker.Network;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>Where clients find the node: bound once, by the first incarnation that comes so far, and kept until the node ends.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class HostListeners(NodeOptions options, IConnectionListenerFactory transport) : IAsyncDisposable
{
    private readonly List<HostListener> _bound = [];

    /// <summary>In the order of the settings.</summary>
    public IReadOnlyList<HostListener> Bound => _bound;

    /// <summary>What the node tells the cluster of where it is. To be asked when the listeners are bound.</summary>
    public (string Host, int Port) Advertised
    {
        get
        {
            var port = (_bound[0].EndPoint as IPEndPoint)?.Port ?? options.Listen.Port;
            return options.Advertised is { } advertised ? (advertised.Host, advertised.Port)
                : options.Listen.IsEveryInterface ? (Dns.GetHostName(), port)
                : (options.Listen.Host, port);
        }
    }

    /// <summary>Binds what is not bound yet.</summary>
    /// <exception cref="NodeStartException">It cannot be; says what can be done.</exception>
    public async ValueTask BindAsync(CancellationToken token)
    {
        if (_bound.Count > 0)
        {
            return;
        }

        try
        {
            var listener = await transport.BindAsync(await options.Listen.ResolveAsync(token), token);
            _bound.Add(new HostListener(listener, ListenerName.Plaintext));
        }
        catch (AddressInUseException taken)
        {
            throw new NodeStartException(
                $"Cannot listen on {options.Listen}: another process does. Stop it, or choose another address with --listen HOST:PORT.", taken);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new NodeStartException($"Cannot listen on {options.Listen}: {failure.Message}. Choose another address with --listen HOST:PORT.", failure);
        }
    }

    /// <summary>Nobody can connect any more; connections that were accepted go on.</summary>
    public async ValueTask UnbindAsync()
    {
        foreach (var listener in _bound)
        {
            await listener.UnbindAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _bound)
        {
            await listener.DisposeAsync();
        }
    }
}
