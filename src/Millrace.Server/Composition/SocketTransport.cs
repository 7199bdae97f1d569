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

    private readonly TransportBlocks _blocks;
    private readonly WebApplication _container;

    public SocketTransport(BufferPool buffers, ILoggerFactory loggers)
    {
        _blocks = new TransportBlocks(buffers);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.MaxReadBufferSize = MaxReadBufferBytes);
        // After Kestrel's own, of which there may be several: the last one counts.
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(_blocks);
        _container = builder.Build();
        Listeners = _container.Services.GetRequiredService<IConnectionListenerFactory>();
    }

    public IConnectionListenerFactory Listeners { get; }

    /// <summary>Gives up memory that no connection needed since the last call. To be called every few seconds.</summary>
    public void Trim() => _blocks.Trim();

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
