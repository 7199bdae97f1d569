using Millrace.Network.Serving;
using Millrace.Controller;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Server.Options;

/// <summary>What an operator decides about one node, in types.</summary>
internal sealed record NodeOptions
{
    /// <summary>As it was written; the layers below read Kafka's own settings from it.</summary>
    public required NodeSettings Settings { get; init; }

    /// <summary>Where Kafka clients connect, and what they are told.</summary>
    public required ListenerOptions Listeners { get; init; }

    /// <summary>Where the HTTP endpoints are; null for none.</summary>
    public HostPort? Http { get; init; }

    public string? Rack { get; init; }

    /// <summary>The node's id, as its operator gave it; null lets the cluster choose.</summary>
    public NodeId? NodeId { get; init; }

    /// <summary>The object store's URI.</summary>
    public required string Store { get; init; }

    /// <summary>The WAL's URI.</summary>
    public required string Wal { get; init; }

    public required NetworkOptions Network { get; init; }

    public required StreamsOptions Streams { get; init; }

    public ClusterControllerOptions Controller { get; init; } = new();

    /// <summary>How long requests under way may take when the node stops.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a start waits for a store that is away; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</summary>
    public TimeSpan StoreWait { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a stop may take in all. Below the half minute that supervisors usually give.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Bytes of returned buffers that are kept for the next taker.</summary>
    public long IdleBufferBytes { get; init; } = 64L << 20;

    /// <summary>The folder of the node's local files, if it has any of its own; no two processes may share it.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>
    /// What may be lost with WALs that are gone: ids of WALs (everything that only they hold), names of topics, or of single
    /// partitions as the log names what waits.
    /// </summary>
    public IReadOnlyList<string> AcceptLoss { get; init; } = [];

    /// <exception cref="SettingsException">Something does not fit together.</exception>
    public static NodeOptions From(NodeSettings settings, string defaultDataDirectory)
    {
        var data = Path.GetFullPath(settings.Text(ServerSettings.DataDirectory) ?? defaultDataDirectory);
        var queued = settings.Number("queued.max.request.bytes");
        var defaults = new NetworkOptions();
        return new NodeOptions
        {
            Settings = settings,
            Listeners = ListenerReader.Read(settings),
            Http = settings.Text(ServerSettings.HttpListener) is { } http and not "off" ? HostPort.Parse(http, ServerSettings.HttpListener) : null,
            Rack = settings.Text("broker.rack"),
            NodeId = NodeIdOf(settings),
            Store = settings.Text(ServerSettings.Store) ?? new Uri(Path.Combine(data, "store")).AbsoluteUri,
            Wal = settings.Text(ServerSettings.Wal) ?? new Uri(Path.Combine(data, "wal")).AbsoluteUri,
            DataDirectory = settings.Text(ServerSettings.Store) is null || settings.Text(ServerSettings.Wal) is null ? data : null,
            ShutdownGrace = settings.Milliseconds(ServerSettings.ShutdownGrace),
            StoreWait = settings.Number(ServerSettings.StoreWait) == 0 ? Timeout.InfiniteTimeSpan : settings.Milliseconds(ServerSettings.StoreWait),
            StopLimit = settings.Milliseconds(ServerSettings.StopLimit),
            IdleBufferBytes = settings.Number(ServerSettings.IdleBuffers),
            Streams = new StreamsOptions
            {
                NotUploadedBytes = settings.Number(ServerSettings.NotUploadedMax),
                UploadBytes = settings.Number(ServerSettings.UploadBytes),
                UploadInterval = settings.Milliseconds(ServerSettings.UploadInterval),
                BlockCacheBytes = settings.Number(ServerSettings.BlockCache),
            },
            Controller = new ClusterControllerOptions
            {
                Settings = settings.Values,
                DeletionDelay = settings.Milliseconds(ServerSettings.DeletionDelay),
                CollectionInterval = settings.Milliseconds(ServerSettings.CollectionInterval),
                SweepInterval = settings.Milliseconds(ServerSettings.SweepInterval),
            },
            Network = new NetworkOptions
            {
                MaxFrameBytes = (int)settings.Number("socket.request.max.bytes"),
                MaxConnections = (int)settings.Number("max.connections"),
                MaxConnectionsPerAddress = (int)settings.Number("max.connections.per.ip"),
                MaxIdle = settings.Milliseconds("connections.max.idle.ms"),
                MaxRequestsPerConnection = (int)settings.Number(ServerSettings.ConnectionRequests),
                MaxRequestBytesPerConnection = settings.Number(ServerSettings.ConnectionRequestBytes),
                MaxRequestBytes = queued > 0 ? queued : defaults.MaxRequestBytes,
                SlowFrameGrace = settings.Milliseconds(ServerSettings.SlowFrameGrace),
                MaxWriteStall = settings.Milliseconds(ServerSettings.WriteStall),
            },
        };
    }

    /// <summary>Kafka's older files say broker.id; -1 there stands for an id that is handed out.</summary>
    private static NodeId? NodeIdOf(NodeSettings settings)
    {
        var old = settings.Number("broker.id");
        var id = settings.Text("node.id") is null ? old : settings.Number("node.id");
        return old >= 0 && id != old ? throw new SettingsException($"node.id is {id} and broker.id is {old}: they are one thing.")
            : id < 0 ? null
            : new NodeId((int)id);
    }
}
