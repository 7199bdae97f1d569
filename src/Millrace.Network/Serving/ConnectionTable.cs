using System.Net;

namespace Millrace.Network.Serving;

/// <summary>The open connections, and whether one more may come. Threading: any thread.</summary>
internal sealed class ConnectionTable(NetworkOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, BrokerConnection> _connections = [];
    private readonly Dictionary<IPAddress, int> _perAddress = [];
    private TaskCompletionSource _removal = NewRemoval();

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _connections.Count;
            }
        }
    }

    /// <summary>Completes when a connection has gone. To be taken before the attempt that finds no room.</summary>
    public Task NextRemoval
    {
        get
        {
            lock (_lock)
            {
                return _removal.Task;
            }
        }
    }

    /// <summary>Adds a connection, unless that would exceed a bound.</summary>
    public ConnectionPlace TryAdd(BrokerConnection connection)
    {
        lock (_lock)
        {
            var address = AddressOf(connection);
            var fromAddress = address is null ? 0 : _perAddress.GetValueOrDefault(address);
            if (address is not null && fromAddress >= options.MaxConnectionsPerAddress)
            {
                return ConnectionPlace.AddressFull;
            }

            if (_connections.Count >= options.MaxConnections)
            {
                return ConnectionPlace.Full;
            }

            if (address is not null)
            {
                _perAddress[address] = fromAddress + 1;
            }

            _connections.Add(connection.Number, connection);
            return ConnectionPlace.Taken;
        }
    }

    public void Remove(BrokerConnection connection)
    {
        lock (_lock)
        {
            if (!_connections.Remove(connection.Number))
            {
                return;
            }

            if (AddressOf(connection) is { } address && --_perAddress[address] == 0)
            {
                _perAddress.Remove(address);
            }

            _removal.TrySetResult();
            _removal = NewRemoval();
        }
    }

    /// <summary>All connections, oldest first.</summary>
    public BrokerConnection[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _connections.Values.OrderBy(connection => connection.Number)];
        }
    }

    private static TaskCompletionSource NewRemoval() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static IPAddress? AddressOf(BrokerConnection connection) => (connection.Client.Remote as IPEndPoint)?.Address;
}
