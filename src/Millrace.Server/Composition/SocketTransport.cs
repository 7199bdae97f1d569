using Microsoft.AspNetCore.Connections;
using Millrace.Runtime;

namespace Millrace.Server.Composition;

/// <summary>Kestrel's socket transport for Kafka connections. Its memory pool can only be given to it through a container.</summary>
internal sealed class SocketTransport : IAsyncDisposable
{
    /// <summary>
    /// What a connection's pipe may hold before it stops to receive. Frames are copied out of it as they arrive, so that it
    /// only fills where a request waits for room.
    /// </summary>
    private const int MaxReadBufferBytes = 256 << 10;

    private readonly WebApplication _container;

    public SocketTransport(BufferPool buffers, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new TransportBlocks(buffers));
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.MaxReadBufferSize = MaxReadBufferBytes);
        _container = builder.Build();
        Listeners = _container.Services.GetRequiredService<IConnectionListenerFactory>();
    }

    public IConnectionListenerFactory Listeners { get; }

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
