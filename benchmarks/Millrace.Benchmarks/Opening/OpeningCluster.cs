using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Benchmarks.Opening;

/// <summary>A cluster's controller over a store, in this process.</summary>
internal sealed class OpeningCluster : IAsyncDisposable
{
    private readonly ClusterController _controller;

    private OpeningCluster(NodeRuntime runtime, DistantStorage storage, ClusterController controller)
    {
        (Runtime, Storage, _controller) = (runtime, storage, controller);
        Link = new CountedLink(new ControllerEndpoint(runtime, controller, new ClusterControllerOptions()));
        Channel = new ControllerChannel(Link, controller.Metadata);
    }

    public NodeRuntime Runtime { get; }

    public DistantStorage Storage { get; }

    public CountedLink Link { get; }

    public IControllerChannel Channel { get; }

    public IMetadataFeed Metadata => _controller.Metadata;

    public static async Task<OpeningCluster> StartAsync(NodeRuntime runtime, DistantStorage storage)
    {
        var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), default);
        var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = "host" };
        var controller = await ClusterController.TryStartAsync(runtime, log, new MetadataFeed(), storage, seal, new ClusterControllerOptions(), default);
        return new OpeningCluster(runtime, storage, controller!);
    }

    /// <summary>Creates topics whose partitions the only node leads.</summary>
    public async Task CreateAsync(int topics, int partitions)
    {
        for (var i = 0; i < topics; i++)
        {
            await Channel.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(
                new() { Topics = [new() { Name = $"topic-{i}", NumPartitions = partitions / topics, ReplicationFactor = 1 }] }, default);
        }
    }

    public ValueTask DisposeAsync() => _controller.DisposeAsync();
}
