using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Broker;
using Millrace.Metadata.Image;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>A node's listeners for clients, bound, and what clients are told of them. Owns them until a broker serves them.</summary>
internal sealed class BoundListeners : IAsyncDisposable
{
    private readonly ListenerOptions _options;
    private readonly List<(Listener Listener, IConnectionListener Bound)> _bound = [];

    private BoundListeners(ListenerOptions options) => _options = options;

    /// <summary>Where the first of them was bound.</summary>
    public EndPoint Address => _bound[0].Bound.EndPoint;

    /// <summary>What clients are told, in the order of the settings but for the first: that is where other brokers reach this one.</summary>
    public ImmutableArray<NodeEndpoint> Endpoints =>
    [
        .. _bound.Select(one => one.Listener.EndpointAt(one.Bound.EndPoint)).OfType<NodeEndpoint>()
            .OrderByDescending(endpoint => endpoint.Listener == _options.InterBroker),
    ];

    /// <exception cref="NodeStartException">One cannot be bound; none is then.</exception>
    public static async Task<BoundListeners> BindAsync(ListenerOptions options, IConnectionListenerFactory transport, CancellationToken token)
    {
        var listeners = new BoundListeners(options);
        try
        {
            foreach (var listener in options.Clients)
            {
                listeners._bound.Add((listener, await BindAsync(listener, transport, token)));
            }

            return listeners;
        }
        catch
        {
            await listeners.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets clients come, by all of them. They are the broker's from now on.</summary>
    public void Serve(KafkaBroker broker)
    {
        foreach (var (listener, bound) in _bound)
        {
            broker.Serve(bound, listener.Name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, bound) in _bound)
        {
            await bound.DisposeAsync();
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

    private static string Choice(Listener listener) => IsUsual(listener) ? "--listen HOST:PORT" : ListenerReader.Listeners;
}
