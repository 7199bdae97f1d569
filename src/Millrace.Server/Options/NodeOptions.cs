using System.Net;
using Millrace.Network.Serving;
using Millrace.Cluster;
using Millrace.Controller;
using Millrace.Metadata.Configs;
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

    /// <summary>What the node is called for good; null of one that is a new one each time.</summary>
    public string? Name { get; init; }

    /// <summary>The object store's URI.</summary>
    public required string Store { get; init; }

    /// <summary>The URIs of its WALs: the default, then those of other kinds that topics may ask for.</summary>
    public required IReadOnlyList<string> Wals { get; init; }

    /// <summary>The devices of others from which this node may take over WALs: URIs or paths, with commas between.</summary>
    public string WalDevices { get; init; } = "";

    public required NetworkOptions Network { get; init; }

    public required StreamsOptions Streams { get; init; }

    /// <summary>The node's place in its cluster, its controller included.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>What starts and stops brokers for the cluster, as a line for the shell; null where nothing does.</summary>
    public string? ScalerCommand { get; init; }

    /// <summary>How long that may take.</summary>
    public TimeSpan ScalerCommandLimit { get; init; } = TimeSpan.FromMinutes(2);

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
        var data = Path.GetFullPath(settings[ServerSettings.DataDirectory].Value ?? defaultDataDirectory);
        var queued = settings[BrokerConfigs.QueuedMaxRequestBytes].AsLong();
        var defaults = new NetworkOptions();
        var listeners = ListenerReader.Read(settings);
        return new NodeOptions
        {
            Settings = settings,
            Listeners = listeners,
            Name = settings[ServerSettings.NodeName].Value ?? NameOf(listeners, data),
            Http = settings[ServerSettings.HttpListener].Value is { } http and not "off" ? HostPort.Parse(http, ServerSettings.HttpListener) : null,
            // A template that fills in the zone has an empty one where there is none.
            Rack = settings[BrokerConfigs.BrokerRack].Value is { Length: > 0 } rack ? rack : null,
            NodeId = NodeIdOf(settings),
            Store = settings[ServerSettings.Store].Value ?? new Uri(Path.Combine(data, "store")).AbsoluteUri,
            Wals = WalChoice.Of(settings, data),
            WalDevices = settings[ServerSettings.WalDevices].Value ?? "",
            DataDirectory = settings[ServerSettings.Store].Value is null || (settings[ServerSettings.Wal].Value is null && WalChoice.IsStoreHere(settings))
                ? data
                : null,
            ScalerCommand = settings[ServerSettings.ScalerCommand].Value,
            ScalerCommandLimit = settings[ServerSettings.ScalerCommandTimeout].AsMilliseconds(),
            ShutdownGrace = settings[ServerSettings.ShutdownGrace].AsMilliseconds(),
            StoreWait = settings[ServerSettings.StoreWait].AsLong() == 0 ? Timeout.InfiniteTimeSpan : settings[ServerSettings.StoreWait].AsMilliseconds(),
            StopLimit = settings[ServerSettings.StopLimit].AsMilliseconds(),
            IdleBufferBytes = settings[ServerSettings.IdleBuffers].AsLong(),
            Streams = new StreamsOptions
            {
                NotUploadedBytes = settings[ServerSettings.NotUploadedMax].AsLong(),
                UploadBytes = settings[ServerSettings.UploadBytes].AsLong(),
                UploadInterval = settings[ServerSettings.UploadInterval].AsMilliseconds(),
                UploadIntervalLimit = settings[ServerSettings.UploadIntervalMax].AsMilliseconds(),
                BlockCacheBytes = settings[ServerSettings.BlockCache].AsLong(),
                CompactionBytesPerSecond = settings[ServerSettings.CompactionRate].AsLong(),
                CompactionInterval = settings[ServerSettings.CompactionInterval].AsMilliseconds(),
            },
            Cluster = LivenessSettings.Read(settings) with
            {
                Controller = new ClusterControllerOptions
                {
                    Settings = settings.Values,
                    OwnershipInterval = settings[ServerSettings.OwnershipInterval].AsMilliseconds(),
                    CalmOwnershipInterval = settings[ServerSettings.CalmOwnershipInterval].AsMilliseconds(),
                    // No timer waits for it: it may be longer than those take, and must not become shorter.
                    DeletionDelay = TimeSpan.FromMilliseconds(
                        Math.Min(settings[ServerSettings.DeletionDelay].AsLong(), TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond)),
                    CollectionInterval = settings[ServerSettings.CollectionInterval].AsMilliseconds(),
                    SweepInterval = settings[ServerSettings.SweepInterval].AsMilliseconds(),
                },
            },
            Network = new NetworkOptions
            {
                MaxFrameBytes = settings[BrokerConfigs.SocketRequestMaxBytes].AsInt(),
                MaxConnections = settings[BrokerConfigs.MaxConnections].AsInt(),
                MaxConnectionsPerAddress = settings[BrokerConfigs.MaxConnectionsPerIp].AsInt(),
                MaxIdle = settings[BrokerConfigs.ConnectionsMaxIdleMs].AsMilliseconds(),
                MaxRequestsPerConnection = settings[ServerSettings.ConnectionRequests].AsInt(),
                MaxRequestBytesPerConnection = settings[ServerSettings.ConnectionRequestBytes].AsLong(),
                MaxRequestBytes = queued > 0 ? queued : defaults.MaxRequestBytes,
                SlowFrameGrace = settings[ServerSettings.SlowFrameGrace].AsMilliseconds(),
                MaxWriteStall = settings[ServerSettings.WriteStall].AsMilliseconds(),
            },
        };
    }

    private static string NameOf(ListenerOptions listeners, string data) =>
        $"{Dns.GetHostName()}:{(listeners.Clients[0].Bind.Port is var port and not 0 ? $"{port}" : data)}";

    /// <summary>Kafka's older files say broker.id; -1 there stands for an id that is handed out.</summary>
    private static NodeId? NodeIdOf(NodeSettings settings)
    {
        var old = settings[BrokerConfigs.BrokerId].AsLong();
        var id = settings[BrokerConfigs.NodeId].Value is null ? old : settings[BrokerConfigs.NodeId].AsLong();
        return old >= 0 && id != old ? throw new SettingsException($"{BrokerConfigs.NodeId} is {id} and {BrokerConfigs.BrokerId} is {old}: they are one thing.")
            : id < 0 ? null
            : new NodeId((int)id);
    }
}
