using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Serving;

/// <summary>The bounds of what peers can make the server hold or do. Sizes in bytes.</summary>
public sealed record NetworkOptions
{
    /// <summary>The largest request (<c>socket.request.max.bytes</c>); a larger one closes its connection.</summary>
    public int MaxFrameBytes { get; init; } = 104_857_600;

    /// <summary>
    /// <c>max.connections</c>, or what the process's limit of open files leaves. At the bound a new connection waits, as in Kafka.
    /// Kafka's default is no bound at all, which thousands of half-open peers turn into a dead broker.
    /// </summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>What sets <see cref="MaxConnections"/>: for the log.</summary>
    public string MaxConnectionsSetBy { get; init; } = BrokerConfigs.MaxConnections;

    /// <summary><c>max.connections.per.ip</c>; more from one address are closed, as in Kafka.</summary>
    public int MaxConnectionsPerAddress { get; init; } = int.MaxValue;

    /// <summary>A connection without a request for this long is closed (<c>connections.max.idle.ms</c>).</summary>
    public TimeSpan MaxIdle { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>At the bound of connections, one that is idle for this long makes room for a new one.</summary>
    public TimeSpan EvictIdleAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests of one connection that are under way; more are not read.</summary>
    public int MaxRequestsPerConnection { get; init; } = 256;

    /// <summary>Bytes of requests of one connection that are under way; a single larger frame passes alone.</summary>
    public long MaxRequestBytesPerConnection { get; init; } = 32L << 20;

    /// <summary>
    /// The requests that wait for the store, all together and for as long as it is away. They have memory of their own, so that what they fill is never
    /// what a heartbeat or a question on another connection waits for.
    /// </summary>
    public ApiKey WaitsForStore { get; init; } = ApiKey.Produce;

    /// <summary>Bytes of those of all connections that are under way (<c>queued.max.request.bytes</c>); a single larger one passes alone.</summary>
    public long MaxRequestBytes { get; init; } = 48L << 20;

    /// <summary>
    /// Bytes of all other requests under way. Long polls and joins wait too, but few connections have more than one small request
    /// that waits: there is room for one of each, and for some large ones.
    /// </summary>
    public long MaxOtherRequestBytes => (16L << 20) + (long)MaxConnections * BufferPool.CapacityFor(1);

    /// <summary>How long a frame may take before its rate is judged.</summary>
    public TimeSpan SlowFrameGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A frame that arrives more slowly than this, counted from its first byte, closes its connection.</summary>
    public int SlowFrameBytesPerSecond { get; init; } = 4096;

    /// <summary>How long a client may take no byte of an answer before it is given up: it holds memory that others need.</summary>
    public TimeSpan MaxWriteStall { get; init; } = TimeSpan.FromMinutes(1);
}
