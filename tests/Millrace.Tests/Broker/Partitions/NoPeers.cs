using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Millrace.Tests.Broker.Partitions;

internal sealed class NoPeers : IConnectionFactory
{
    public ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromException<ConnectionContext>(new IOException("No other node is reached from here"));
}
