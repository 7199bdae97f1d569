using System.Net;
using Microsoft.AspNetCore.Connections;
using Millrace.Metadata.Configs;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Server.Cli;
using Millrace.Server.Http;
using Millrace.Server.Options;
using Millrace.Server.Scaling;
using Millrace.Server.Transport;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Object;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Server.Composition;

/// <summary>
/// A node as a process of a real machine: its folder, store, memory and sockets, HTTP endpoints,
/// the line that says ready, and the exit code.
/// </summary>
internal sealed class NodeProcess(TimeProvider time, ILoggerFactory loggers, NodeOptions options) : INodeObserver
{
    private const string LockFile = "lock";

    /// <summary>Lies in every folder of logs that Apache Kafka has formatted.</summary>
    private const string KafkasFile = "meta.properties";
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(5);
    private readonly NodeHealth _health = new();
    private Incarnation? _first;

    /// <summary>Runs until the token is cancelled or the node fails.</summary>
    /// <returns>The process's exit code.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        OpenSslLibrary.Check();
        using var runtime = new NodeRuntime(time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), loggers);
        // First, since a process that has too few descriptors cannot load the code of what follows.
        var network = await DescriptorLimit.ApplyAsync(
            runtime, options.Network, options.Settings.Values.ContainsKey(BrokerConfigs.MaxConnections), stop);
        await using var directory = await LockDirectoryAsync(runtime, stop);
        var (storageUri, walUris, otherDevices) = ParseUris();
        await using var storage = new MeasuredObjectStorage(runtime, await storageUri.OpenAsync(runtime, stop));
        _health.Uses(storage);
        using var buffers = new BufferPool(options.IdleBufferBytes);
        var transport = new SocketTransport(runtime, buffers);
        _ = runtime.Spawn("buffer-trim", token => TrimAsync(runtime, buffers, transport, token));
        // HTTP comes up beside the node: it takes as long again, and tells probes that the node is on its way.
        var scaling = new ScalingReport(runtime);
        var serving = StartHttpAsync(transport, scaling, stop);
        try
        {
            var components = new NodeComponents(
                storage, (life, store) => Wals(life, store, walUris, otherDevices, buffers), buffers, transport, transport, transport, Use)
            {
                ScalerHook = options.ScalerCommand is { } command ? new CommandHook(runtime, command, options.ScalerCommandLimit) : null,
            };
            await using var node = await NodeHost.StartAsync(runtime, options with { Network = network }, components, this, stop);
            scaling.Uses(node.Member.Channel);
            await using var http = await serving;
            await SayReadyAsync(node.AddressInWords, http?.Address, _first!);
            return await RunAsync(runtime, node, stop);
        }
        catch
        {
            if (serving.IsCompletedSuccessfully && await serving is { } http)
            {
                await http.DisposeAsync();
            }

            throw;
        }
    }

    void INodeObserver.OnServing(Incarnation incarnation)
    {
        _first ??= incarnation;
        _health.Ready(incarnation.Metadata);
    }

    void INodeObserver.OnOver(Incarnation incarnation, Exception reason) => _health.Replacing(reason);

    void INodeObserver.OnGone(Incarnation incarnation)
    {
    }

    private async Task<int> RunAsync(NodeRuntime runtime, NodeHost node, CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.UnsafeRegister(_ => stopped.TrySetResult(), null);
        var failure = node.WaitForFailureAsync();
        await Waiting.Either(failure, stopped.Task);
        if (failure.IsCompleted)
        {
            var reason = await failure;
            _health.Failed(reason);
            ServerMessages.Failed(loggers.CreateLogger<NodeProcess>(), reason.Message);
            return ExitCode.Failed;
        }

        _health.Stopping();
        await node.StopAsync();
        runtime.Stop();
        return ExitCode.Success;
    }

    private static ProcessUse Use() => new(Environment.CpuUsage.TotalTime, Environment.ProcessorCount, Environment.WorkingSet);

    private static async Task TrimAsync(NodeRuntime runtime, BufferPool buffers, SocketTransport transport, CancellationToken token)
    {
        while (true)
        {
            await Task.Delay(TrimInterval, runtime.Time, token);
            buffers.Trim();
            transport.Trim();
        }
    }

    private async Task<IAsyncDisposable?> LockDirectoryAsync(NodeRuntime runtime, CancellationToken token)
    {
        if (options.DataDirectory is not { } directory)
        {
            return null;
        }

        try
        {
            await runtime.Files.CreateDirectoryAsync(directory, token);
            if (await runtime.Files.GetStatusAsync(Path.Combine(directory, KafkasFile), token) is not null)
            {
                ServerMessages.KafkasFolder(loggers.CreateLogger<NodeProcess>(), directory);
            }

            return await runtime.Files.TryLockAsync(Path.Combine(directory, LockFile), token)
                ?? throw new NodeStartException(
                    $"Another process uses the data directory {directory}. Stop it first, or choose another with --data-dir.");
        }
        catch (IOException failure)
        {
            throw new NodeStartException($"The data directory {directory} cannot be used: {failure.Message}", failure);
        }
    }

    private (StorageUri, IReadOnlyList<WalUri>, IReadOnlyList<BlockDeviceOptions>) ParseUris()
    {
        try
        {
            return (StorageUri.Parse(options.Store), WalUri.ParseAll(options.Wals), BlockUri.ParseList(options.WalDevices));
        }
        catch (FormatException refusal)
        {
            throw new SettingsException(refusal.Message, refusal);
        }
    }

    private static WalProviders Wals(
        NodeRuntime life, IObjectStorage storage, IReadOnlyList<WalUri> uris, IReadOnlyList<BlockDeviceOptions> otherDevices, BufferPool buffers)
    {
        var devices = new BlockDevices(life, buffers, uris.Select(uri => uri.Device).FirstOrDefault(device => device is not null), otherDevices);
        IWalProvider[] own = [.. uris.Select(uri => uri.CreateProvider(life, buffers, storage, devices))];
        return new WalProviders(own, kind => own.FirstOrDefault(provider => provider.Kind == kind) ?? Former(kind)) { Devices = devices };

        IWalTakeover? Former(WalKind kind) => kind switch
        {
            WalKind.Memory => null,
            WalKind.File => new RingWalTakeover(life, buffers, new WalFiles(life)),
            WalKind.Object => new ObjectWalProvider(life, buffers, storage, new()),
            WalKind.Block => new RingWalTakeover(life, buffers, devices),
        };
    }

    private async Task<HttpEndpoints?> StartHttpAsync(SocketTransport transport, ScalingReport scaling, CancellationToken token)
    {
        if (options.Http is not { } address)
        {
            return null;
        }

        var endpoint = await address.ResolveAsync(token);
        try
        {
            return await HttpEndpoints.StartAsync(endpoint, _health, scaling, transport, loggers, token);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException && !options.Settings.Values.ContainsKey(ServerSettings.HttpListener))
        {
            // Nobody has asked for this port: a second node on the machine takes another one, and says which.
            var http = await HttpEndpoints.StartAsync(new IPEndPoint(endpoint.Address, 0), _health, scaling, transport, loggers, token);
            ServerMessages.HttpElsewhere(loggers.CreateLogger<NodeProcess>(), address.ToString(), http.Address);
            return http;
        }
        catch (IOException failure)
        {
            throw new NodeStartException(
                $"Cannot serve HTTP on {address}: {failure.Message.TrimEnd('.')}. Choose another address with --set {ServerSettings.HttpListener}=HOST:PORT.",
                failure);
        }
    }

    /// <summary>The one line on standard output, for whoever started the process.</summary>
    private async Task SayReadyAsync(string kafka, EndPoint? http, Incarnation first)
    {
        var where = http is null ? kafka : $"{kafka} http://{http}";
        await Console.Out.WriteLineAsync($"ready {where} node {first.Self.Node} ({options.Name}) of cluster {first.Metadata.Image.ClusterId}");
        await Console.Out.FlushAsync();
    }
}
