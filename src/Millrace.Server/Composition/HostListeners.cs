using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>Where clients find the node: bound once, by the first incarnation that comes so far, and kept until the node ends.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class HostListeners(ListenerOptions options, IConnectionListenerFactory transport) : IAsyncDisposable
{
    private readonly List<HostListener> _bound = [];

    /// <summary>In the order of the settings.</summary>
    public IReadOnlyList<HostListener> Bound => _bound;

    /// <summary>
    /// What clients are told, in the order of the settings but for the first: that is where other brokers reach this one. To be asked when the
    /// listeners are bound.
    /// </summary>
    public ImmutableArray<NodeEndpoint> Endpoints =>
    [
        .. _bound.Select(listener => listener.Endpoint).OfType<NodeEndpoint>()
            .OrderByDescending(endpoint => endpoint.Listener == options.InterBroker),
    ];

    /// <summary>Binds what clients come by. To be called once.</summary>
    /// <exception cref="NodeStartException">One cannot be; says what can be done. None is bound then.</exception>
    public async ValueTask BindAsync(CancellationToken token)
    {
        try
        {
            foreach (var listener in options.Clients)
            {
                _bound.Add(new HostListener(await BindAsync(listener, transport, token), listener));
            }
        }
        catch
        {
            await DisposeAsync();
            _bound.Clear();
            throw;
        }
    }

    /// <summary>Binds what other nodes come by. The caller owns it.</summary>
    /// <param name="peers">Binds.</param>
    /// <param name="token">Ends the attempt.</param>
    /// <returns>The listener, and where others reach it.</returns>
    /// <exception cref="NodeStartException">It cannot be; says what can be done.</exception>
    public async ValueTask<(IConnectionListener Listener, PeerAddress Address)> BindInternalAsync(IConnectionListenerFactory peers, CancellationToken token)
    {
        var bound = await BindAsync(options.Internal, peers, token);
        var endpoint = options.Internal.EndpointAt(bound.EndPoint)!;
        return (bound, new PeerAddress(endpoint.Host, endpoint.Port));
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

    private static async Task<IConnectionListener> BindAsync(Listener listener, IConnectionListenerFactory transport, CancellationToken token)
    {
        try
        {
            return await transport.BindAsync(await listener.Bind.ResolveAsync(token), token);
        }
        catch (AddressInUseException taken)
        {
            throw new NodeStartException(
                $"Cannot listen on {Name(listener)}: another process does. Stop it, or choose another address with {Choice(listener)}.", taken);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new NodeStartException($"Cannot listen on {Name(listener)}: {failure.Message}. Choose another address with {Choice(listener)}.", failure);
        }
    }

    private static bool IsUsual(Listener listener) => listener.Name == ListenerName.Plaintext;

    private static string Name(Listener listener) => IsUsual(listener) ? listener.Bind.ToString() : listener.ToString();

    private static string Choice(Listener listener) => IsUsual(listener) ? "--listen HOST:PORT"
        : listener.Name == ListenerName.Internal ? "--internal-listen HOST:PORT"
        : BrokerConfigs.Listeners;
}
