using System.Net;

namespace Millrace.Broker.Network;

/// <summary>The open connections, and whether one more may come. Safe for use from any thread.</summary>
internal sealed class ConnectionTable(NetworkOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, BrokerConnection> _connections = [];
    private readonly Dictionary<IPAddress, int> _perAddress = [];

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

    /// <summary>Adds a connection, unless that would exceed a bound.</summary>
    /// <returns>Null if it was added, else the bound that is in the way, for the log.</returns>
    public string? TryAdd(BrokerConnection connection)
    {
        lock (_lock)
        {
            if (_connections.Count >= options.MaxConnections)
            {
                return $"max.connections={options.MaxConnections}";
            }

            if (AddressOf(connection) is { } address)
            {
                var count = _perAddress.GetValueOrDefault(address);
                if (count >= options.MaxConnectionsPerAddress)
                {
                    return $"max.connections.per.ip={options.MaxConnectionsPerAddress}";
                }

                _perAddress[address] = count + 1;
            }

            _connections.Add(connection.Number, connection);
            return null;
        }
    }

    public void Remove(BrokerConnection connection)
    {
        lock (_lock)
        {
            if (_connections.Remove(connection.Number) && AddressOf(connection) is { } address && --_perAddress[address] == 0)
            {
                _perAddress.Remove(address);
            }
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

    private static IPAddress? AddressOf(BrokerConnection connection) => (connection.Client.Remote as IPEndPoint)?.Address;
}
