using System.Buffers;
using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Controller.Objects;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller;

public sealed class ClusterControllerTests
{
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10) };

    private readonly MemoryObjectStorage _storage = new();

    [Fact]
    public async Task A_restarted_controller_knows_what_the_former_one_committed()
    {
        byte[] before;
        string cluster;
        await using (var first = new ControllerNode(_storage))
        {
            var controller = await first.StartAsync(Quiet);
            var node = await controller.RegisterAsync(first.Registration, default);
            await CreateTopicAsync(controller, "t", 3);
            await UploadAsync(controller, node, await controller.CreateAsync(node, default), 0, 10);
            before = ClusterScript.Bytes(controller.Controller.State);
            cluster = controller.Metadata.Image.ClusterId;
        }

        await using var second = new ControllerNode(_storage);
        var restarted = await second.StartAsync(Quiet);

        Assert.Equal(before, ClusterScript.Bytes(restarted.Controller.State));
        Assert.Equal(cluster, restarted.Metadata.Image.ClusterId);
        Assert.Equal(22, cluster.Length);
        var log = await second.OpenLogAsync();
        Assert.Equal(second.Registration.Incarnation, log.Owner!.IncarnationId);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Of_two_controllers_only_the_newer_commits_and_the_older_stops()
    {
        await using var first = new ControllerNode(_storage);
        await using var second = new ControllerNode(_storage);
        var older = await first.StartAsync(Quiet);
        var node = await older.RegisterAsync(first.Registration, default);

        var newer = await second.StartAsync(Quiet);
        var refusal = await Assert.ThrowsAsync<StreamException>(async () => await older.PrepareAsync(node, 1, default));
        var successor = await newer.RegisterAsync(second.Registration, default);

        // It says nothing of the node, which nobody had fenced by then.
        Assert.Equal(StreamError.ControllerLost, refusal.Error);
        Assert.IsType<ObjectLogException>((await first.Runtime.Failed.WaitAsync(TimeSpan.FromSeconds(30))).InnerException);
        Assert.Equal(StreamError.ControllerLost, (await Assert.ThrowsAsync<StreamException>(async () => await older.PrepareAsync(node, 1, default))).Error);
        Assert.Equal(StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(async () => await newer.PrepareAsync(node, 1, default))).Error);
        Assert.Equal(new ObjectId(0), await newer.PrepareAsync(successor, 1, default));
    }

    [Fact]
    public async Task A_controller_that_was_deposed_and_does_not_know_it_refuses_nothing_by_what_it_has()
    {
        await using var first = new ControllerNode(_storage);
        await using var second = new ControllerNode(_storage);
        var older = await first.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromHours(1) });
        var node = await older.RegisterAsync(first.Registration, default);
        var newer = await second.StartAsync(Quiet);
        var successor = await newer.RegisterAsync(second.Registration, default);
        var stream = await newer.CreateAsync(successor, default);

        // By what the older one has there is no such stream.
        var refusal = await Assert.ThrowsAsync<StreamException>(async () => await older.OpenAsync(node, stream, new StreamEpoch(0), default));

        Assert.Equal(StreamError.ControllerLost, refusal.Error);
    }

    [Fact]
    public async Task A_controller_that_was_deposed_finds_out_and_stops_though_nobody_asks_it_for_anything()
    {
        await using var first = new ControllerNode(_storage);
        await using var second = new ControllerNode(_storage);
        await first.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromMilliseconds(20) });
        await second.StartAsync(Quiet);

        var reason = (await first.Runtime.Failed.WaitAsync(TimeSpan.FromSeconds(30))).InnerException;
        Assert.Equal(ObjectLogError.Fenced, Assert.IsType<ObjectLogException>(reason).Error);
    }

    [Fact]
    public async Task A_look_for_other_controllers_that_the_store_does_not_answer_keeps_no_request_waiting()
    {
        await using var storage = new TestStorage();
        await using var process = new ControllerNode(storage);
        var controller = await process.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromMilliseconds(1) });
        controller.Controller.IsUndoubted = static () => true;
        storage.BeforeRead = _ => throw TestStorage.Unavailable;
        var before = storage.Reads;
        Assert.True(await Eventually.BecomesTrueAsync(() => storage.Reads > before + 1));

        for (var i = 0; i < 20; i++)
        {
            Assert.Empty(await controller.GetWaitingWalsAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        }

        Assert.False(process.Runtime.Failed.IsCompleted);
    }

    [Fact]
    public async Task A_request_whose_caller_has_given_up_is_not_done_later_and_takes_no_place()
    {
        await using var storage = new TestStorage();
        await using var process = new ControllerNode(storage);
        var controller = await process.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromHours(1) });
        var node = await controller.RegisterAsync(process.Registration, default);
        var (first, held) = await BeginHeldAsync(storage, () => controller.CreateAsync(node, default).AsTask());
        using var patience = new CancellationTokenSource();
        var givenUp = Enumerable.Range(0, ControllerQueue.Limit).Select(_ => controller.CreateAsync(node, patience.Token).AsTask()).ToArray();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(givenUp));
        Assert.All(givenUp, creation => Assert.True(creation.IsCanceled));

        var noAnswer = controller.CreateAsync(node, new CancellationToken(canceled: true)).AsTask();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => noAnswer);
        held.SetResult();

        // One that was given up would have taken a number; one that asked for no answer has.
        Assert.Equal((await first).Value + 2, (await controller.CreateAsync(node, default)).Value);
    }

    [Fact]
    public async Task Requests_beyond_the_bound_are_refused_for_now()
    {
        await using var storage = new TestStorage();
        await using var process = new ControllerNode(storage);
        var controller = await process.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromHours(1) });
        var node = await controller.RegisterAsync(process.Registration, default);
        var (first, held) = await BeginHeldAsync(storage, () => controller.CreateAsync(node, default).AsTask());
        var waiting = Enumerable.Range(0, ControllerQueue.Limit).Select(_ => controller.GetWaitingWalsAsync(default).AsTask()).ToList();

        var refusal = await Assert.ThrowsAsync<StreamException>(async () => await controller.GetWaitingWalsAsync(default));

        Assert.Equal(StreamError.StorageUnavailable, refusal.Error);
        held.SetResult();
        await first;
        await Task.WhenAll(waiting);
        Assert.Empty(await controller.GetWaitingWalsAsync(default));
    }

    [Fact]
    public async Task Whoever_collects_objects_finds_too_many_requests_and_comes_again()
    {
        await using var storage = new TestStorage();
        await using var process = new ControllerNode(storage);
        var controller = await process.StartAsync(Quiet with { OwnershipInterval = TimeSpan.FromHours(1) });
        var node = await controller.RegisterAsync(process.Registration, default);
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        storage.BeforePut = async (_, token) =>
        {
            writing.TrySetResult();
            await blocked.Task.WaitAsync(token);
        };
        var first = controller.CreateAsync(node, default).AsTask();
        await writing.Task;
        var waiting = Enumerable.Range(0, ControllerQueue.Limit).Select(_ => controller.GetWaitingWalsAsync(default).AsTask()).ToList();
        using var log = new RecordedLog();
        using var runtime = new NodeRuntime(process.Time, TaskScheduler.Default, new SystemRandom(), process.Runtime.Files, log);
        await using var collector = new ObjectCollector(
            runtime, storage, controller.Controller, Quiet with { CollectionInterval = TimeSpan.FromMilliseconds(1) });
        collector.Start();

        // It was refused, and came again.
        Assert.True(await Eventually.BecomesTrueAsync(() => log.Texts.Count(text => text.Contains("deleting objects", StringComparison.Ordinal)) > 1));
        blocked.SetResult();
        await first;
        await Task.WhenAll(waiting);
        Assert.False(runtime.Failed.IsCompleted);
    }

    [Fact]
    public async Task Two_controllers_that_form_one_bucket_at_once_end_in_one_cluster()
    {
        await using var first = new ControllerNode(_storage);
        await using var second = new ControllerNode(_storage);
        var logs = new[] { await first.OpenLogAsync(), await second.OpenLogAsync() };

        var started = await Task.WhenAll(TryAsync(first, logs[0]), TryAsync(second, logs[1]));

        // One may have lost the race at the seal, or have been deposed before it formed anything.
        await using var third = new ControllerNode(_storage);
        var final = await third.StartAsync(Quiet);
        Assert.NotEqual(Guid.Empty, final.Metadata.Image.ClusterUuid);
        Assert.All(
            started.Where(controller => controller is not null && controller.Metadata.Image.ClusterUuid != Guid.Empty),
            controller => Assert.Equal(final.Metadata.Image.ClusterId, controller!.Metadata.Image.ClusterId));
        foreach (var controller in started.OfType<ClusterController>())
        {
            await controller.DisposeAsync();
        }

        async Task<ClusterController?> TryAsync(ControllerNode node, MetadataLog log)
        {
            try
            {
                return await ClusterController.TryStartAsync(node.Runtime, log, new MetadataFeed(), _storage, node.Seal, Quiet, default);
            }
            catch (ControllerException deposed) when (deposed.Error == ControllerError.ControllerLost)
            {
                return null;
            }
        }
    }

    [Fact]
    public async Task Requests_that_wait_together_share_an_entry_and_each_gets_its_answer()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        var node = await controller.RegisterAsync(process.Registration, default);

        var ids = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => controller.PrepareAsync(node, 2, default).AsTask()));

        Assert.Equal(Enumerable.Range(0, 500).Select(i => i * 2L), ids.Select(id => id.Value).Order());
        var entries = await _storage.ListAsync("meta/LOG/", null, 1_000, default);
        Assert.True(entries.Count < 400, $"{entries.Count} entries for 500 requests");
    }

    [Fact]
    public async Task A_refused_request_leaves_nothing_and_does_not_harm_others()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        var node = await controller.RegisterAsync(process.Registration, default);

        var refused = controller.CloseAsync(node, new StreamClose(new StreamId(77), new StreamEpoch(0), 0), default).AsTask();
        var accepted = controller.CreateAsync(node, default).AsTask();

        Assert.Equal(StreamError.Unknown, (await Assert.ThrowsAsync<StreamException>(() => refused)).Error);
        Assert.Equal(new StreamId(0), await accepted);
    }

    [Fact]
    public async Task Brokers_hear_of_every_change_in_order_and_before_the_answer()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        await controller.RegisterAsync(process.Registration, default);
        var heard = new List<string>();
        using var subscription = controller.Metadata.Subscribe(
            delta => heard.Add(
                $"+{string.Join(',', delta.ChangedTopics.Select(topic => topic.Name))} -{string.Join(',', delta.DeletedTopics.Select(topic => topic.Name))}"));

        await CreateTopicAsync(controller, "a", 1);
        await CreateTopicAsync(controller, "b", 1);
        await controller.DeleteTopicsAsync(new DeleteTopicsRequest { Topics = [new() { Name = "a" }] }, default);

        Assert.Equal(["+ -", "+a -", "+b -", "+ -a"], heard);
        Assert.Equal(["b"], (await controller.Metadata.WaitAsync(image => image.Topics.Count == 1, default)).Topics.Keys);
    }

    [Fact]
    public async Task The_log_is_cut_behind_snapshots_and_a_restart_reads_one()
    {
        byte[] before;
        var options = new MetadataLogOptions { SnapshotEntries = 10 };
        await using (var first = new ControllerNode(_storage, options))
        {
            var controller = await first.StartAsync(Quiet);
            var node = await controller.RegisterAsync(first.Registration, default);
            for (var i = 0; i < 100; i++)
            {
                await controller.PrepareAsync(node, 1, default);
            }

            // Snapshots are taken in the background, one at a time.
            while ((await _storage.ListAsync("meta/TRIM/", null, 10, default)).Count == 0)
            {
                await controller.PrepareAsync(node, 1, default);
            }

            before = ClusterScript.Bytes(controller.Controller.State);
        }

        await using var second = new ControllerNode(_storage, options);
        var log = await second.OpenLogAsync();
        Assert.Equal(before, ClusterScript.Bytes(log.State));
        Assert.NotNull(log.Owner);
        await log.DisposeAsync();
        Assert.Equal(before, ClusterScript.Bytes((await second.StartAsync(Quiet)).Controller.State));
    }

    [Fact]
    public void An_idle_controller_looks_for_another_owner_and_does_nothing_in_between()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var node = new SimulatedNode(kernel, "idle", lane => new SimulatedDisk(kernel, "idle").Mount(lane));
        var bucket = new SimulatedBucket(kernel);
        var seconds = 60;
        kernel.Run(async () =>
        {
            await node.Start(async runtime =>
            {
                var storage = bucket.Connect(node.Lane!);
                var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), default);
                var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = "idle", Port = 9092 };
                Assert.NotNull(await ClusterController.TryStartAsync(runtime, log, new MetadataFeed(), storage, seal, Quiet, default));
            });
            var before = kernel.Steps;
            await kernel.Delay(TimeSpan.FromSeconds(seconds));
            Assert.InRange(kernel.Steps - before, seconds / 2, seconds * 20);
        });
    }

    [Fact]
    public async Task A_log_of_a_higher_feature_level_is_not_read()
    {
        await using (var first = new ControllerNode(_storage))
        {
            var controller = await first.StartAsync(Quiet);
            await controller.Controller.SubmitAsync(entry => entry.Add(new FeatureLevelRecord { Level = MetadataLog.HighestFeatureLevel + 1 }), default);
        }

        await using var second = new ControllerNode(_storage);
        await Assert.ThrowsAsync<ProtocolException>(second.OpenLogAsync);
    }

    [Fact]
    public async Task Whoever_reads_on_applies_what_the_owner_commits()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        await using var log = await process.OpenLogAsync();

        await controller.RegisterAsync(process.Registration, default);
        await log.ReadToTailAsync(default);

        Assert.Single(log.Image.Nodes);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_deleted_topic()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        var node = await controller.RegisterAsync(process.Registration, default);
        await controller.RegisterWalAsync(node, new WalDescriptor(process.Runtime.NewId(), WalKind.Memory, "m", node.Node, node.Epoch), default);
        await CreateTopicAsync(controller, "t", 1);
        var partition = controller.Metadata.Image.Topics["t"].Partitions[0];
        await controller.OpenAsync(node, partition.Stream, partition.Epoch, default);
        var data = await CommitAsync(controller, node, partition.Stream, 0, 10);
        var unused = await controller.PrepareAsync(node, 1, default);
        await PutAsync(unused);
        var collector = new ObjectCollector(process.Runtime, _storage, controller.Controller, Quiet);

        await collector.CollectAsync(default);
        Assert.Equal(2, await CountObjectsAsync());
        await controller.DeleteTopicsAsync(new DeleteTopicsRequest { Topics = [new() { Name = "t" }] }, default);
        await collector.CollectAsync(default);
        Assert.Contains(data, controller.Controller.State.Streams.Objects.Deleting);
        Assert.Equal(2, await CountObjectsAsync());

        process.Time.Advance(Quiet.DeletionDelay);
        await collector.CollectAsync(default);
        Assert.Equal(1, await CountObjectsAsync());
        process.Time.Advance(Quiet.PrepareDeadline);
        await collector.CollectAsync(default);
        process.Time.Advance(Quiet.DeletionDelay);
        await collector.CollectAsync(default);
        Assert.Equal(0, await CountObjectsAsync());
        Assert.Empty(controller.Controller.State.Streams.Objects.All);
        await collector.DisposeAsync();
    }

    [Fact]
    public async Task A_sweep_deletes_what_the_log_has_closed_and_nothing_else()
    {
        await using var process = new ControllerNode(_storage);
        var controller = await process.StartAsync(Quiet);
        var node = await controller.RegisterAsync(process.Registration, default);
        var first = await controller.PrepareAsync(node, 2, default);
        var late = first;
        var prepared = new ObjectId(first.Value + 1);
        await controller.Controller.SubmitAsync(entry => ObjectOperations.BeginDeletion(entry, [late], 1), default);
        await controller.Controller.SubmitAsync(entry => ObjectOperations.EndDeletion(entry, [late]), default);
        var beyond = new ObjectId(1_000);
        await PutAsync(late);
        await PutAsync(prepared);
        await PutAsync(beyond);
        await _storage.PutAsync("data/of-somebody-else", new ReadOnlySequence<byte>(new byte[1]), default);
        var collector = new ObjectCollector(process.Runtime, _storage, controller.Controller, Quiet);

        await collector.SweepAsync(default);

        Assert.Null(await _storage.GetAsync(DataObjectKey.Of(late), default));
        Assert.NotNull(await _storage.GetAsync(DataObjectKey.Of(prepared), default));
        Assert.NotNull(await _storage.GetAsync(DataObjectKey.Of(beyond), default));
        Assert.NotNull(await _storage.GetAsync("data/of-somebody-else", default));
        await collector.DisposeAsync();
    }

    /// <summary>Begins a request whose entry is held up on its way into the store until the other result is set.</summary>
    private static async Task<(Task<T> Request, TaskCompletionSource Held)> BeginHeldAsync<T>(TestStorage storage, Func<Task<T>> request)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        storage.BeforePut = async (_, token) =>
        {
            writing.TrySetResult();
            await held.Task.WaitAsync(token);
        };
        var begun = request();
        await writing.Task;
        return (begun, held);
    }

    private static async Task CreateTopicAsync(AskedController controller, string name, int partitions)
    {
        var request = new CreateTopicsRequest { Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }] };
        var response = await controller.CreateTopicsAsync(request, default);
        Assert.Equal(ErrorCode.None, (ErrorCode)Assert.Single(response.Topics).ErrorCode);
    }

    private static async Task UploadAsync(AskedController controller, NodeIncarnation node, StreamId stream, long start, long end)
    {
        await controller.OpenAsync(node, stream, new StreamEpoch(0), default);
        var id = await controller.PrepareAsync(node, 1, default);
        var verdicts = (await controller.CommitAsync(new UploadCommit(node, null, [ClusterScript.Range(id, stream, 0, start, end)]), default)).Verdicts;
        Assert.Equal(RangeOutcome.Accepted, Assert.Single(verdicts).Outcome);
    }

    private async Task<ObjectId> CommitAsync(AskedController controller, NodeIncarnation node, StreamId stream, long start, long end)
    {
        var id = await controller.PrepareAsync(node, 1, default);
        await PutAsync(id);
        await controller.CommitAsync(new UploadCommit(node, null, [ClusterScript.Range(id, stream, 0, start, end)]), default);
        return id;
    }

    private async Task PutAsync(ObjectId id) => await _storage.PutAsync(DataObjectKey.Of(id), new ReadOnlySequence<byte>(new byte[1]), default);

    private async Task<int> CountObjectsAsync() => (await _storage.ListAsync(DataObjectKey.Prefix, null, 1_000, default)).Count;
}
