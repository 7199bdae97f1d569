using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Scenarios;

namespace Millrace.Tests.Controller;

/// <summary>A process that may become the controller of the cluster in a store; disposing it is a crash.</summary>
internal sealed class ControllerNode : IAsyncDisposable
{
    private readonly IObjectStorage _storage;
    private AskedController? _controller;

    public ControllerNode(IObjectStorage storage, MetadataLogOptions? options = null)
    {
        _storage = storage;
        LogOptions = options ?? new MetadataLogOptions();
        Runtime = new NodeRuntime(
            Time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        Registration = new NodeRegistration(Runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "localhost", 9092)], null) { Name = "node" };
    }

    public ShiftedTime Time { get; } = new();

    public NodeRuntime Runtime { get; }

    public NodeRegistration Registration { get; }

    public MetadataLogOptions LogOptions { get; }

    public ControllerSeal Seal => new()
    {
        IncarnationId = Registration.Incarnation,
        Host = Registration.Endpoints[0].Host,
        Port = Registration.Endpoints[0].Port,
    };

    public async Task<MetadataLog> OpenLogAsync() => await MetadataLog.OpenAsync(Runtime, _storage, LogOptions, CancellationToken.None);

    public async Task<AskedController> StartAsync(ClusterControllerOptions? options = null)
    {
        var started = await AskedController.TryStartAsync(
            Runtime, await OpenLogAsync(), _storage, Seal, options ?? new ClusterControllerOptions());
        return _controller = started ?? throw new InvalidOperationException("Somebody else was faster");
    }

    public async ValueTask DisposeAsync()
    {
        if (_controller is not null)
        {
            await _controller.DisposeAsync();
        }

        Runtime.Stop();
        Runtime.Dispose();
    }
}
