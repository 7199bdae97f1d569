using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller.Endpoint;

/// <summary>What a controller says to whom, each time through the bytes of its messages.</summary>
public sealed class ControllerEndpointTests : IAsyncDisposable
{
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10), OwnershipInterval = TimeSpan.FromHours(1) };

    private readonly MemoryObjectStorage _storage = new();
    private readonly ControllerNode _process;

    public ControllerEndpointTests() => _process = new ControllerNode(_storage);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task Many_operations_on_many_streams_take_one_round_trip_and_one_entry_and_each_has_its_own_result()
    {
        var (controller, node) = await StartAsync();
        var created = await AskAsync(controller, node, new StreamOpsRequest { Creations = 1_000 });
        var streams = created.Created.Select(result => result.StreamId).ToArray();
        var entries = await CountEntriesAsync();

        var opened = await AskAsync(controller, node, new StreamOpsRequest
        {
            Opens = [.. streams.Append(77_777).Select(stream => new StreamOpsRequest.Open { StreamId = stream, Epoch = 0 })],
            Closes = [.. streams.Take(10).Select((stream, i) => new StreamOpsRequest.Close { StreamId = stream, Epoch = 0, EndOffset = i == 3 ? 5 : 0 })],
            Prepares = [2, -1, 3],
            CommittedEnds = [streams[0], 88_888],
        });

        Assert.Equal(entries + 1, await CountEntriesAsync());
        Assert.Equal(1_000, opened.Opened.Count(result => result.ErrorCode == 0));
        Assert.Equal(ControllerError.UnknownStream, (ControllerError)opened.Opened[^1].ErrorCode);
        Assert.Equal(
            [ControllerError.Incomplete],
            opened.Closed.Select(result => (ControllerError)result.ErrorCode).Where(error => error != ControllerError.None));
        Assert.Equal([0L, -1, 2], opened.Prepared.Select(result => result.ErrorCode == 0 ? result.ObjectId : -1));
        Assert.Equal(ControllerError.InvalidRequest, (ControllerError)opened.Prepared[1].ErrorCode);
        Assert.Equal([0, -1], opened.CommittedEnds);
        Assert.Equal(991, controller.Controller.State.Streams.OpenStreamsOf(node).Count());
    }

    [Fact]
    public async Task What_an_opening_and_a_commit_tell_passes_whole_through_the_messages()
    {
        var (controller, node) = await StartAsync();
        var wal = new WalDescriptor(_process.Runtime.NewId(), WalKind.Memory, "m", node.Node, node.Epoch);
        await controller.RegisterWalAsync(node, wal, default);
        var stream = await controller.CreateAsync(node, default);
        await controller.OpenAsync(node, stream, new StreamEpoch(0), default);
        var id = await controller.PrepareAsync(node, 1, default);
        var range = ClusterScript.Range(id, stream, 0, 0, 10, checkpoint: true);

        var verdicts = (await controller.CommitAsync(new UploadCommit(node, null, [range, ClusterScript.Range(id, stream, 0, 12, 14)]), default)).Verdicts;

        Assert.Equal([new RangeVerdict(RangeOutcome.Accepted, 0), new RangeVerdict(RangeOutcome.Gap, 12)], verdicts);
        Assert.Equal([range], await controller.GetRangesAsync(stream, 0, 10, asOfNow: false, default));
        Assert.Equal(10, await controller.GetCommittedEndAsync(stream, default));
        Assert.Equal(10, await controller.GetRecoverableEndAsync(wal.Id, stream, new StreamEpoch(0), default));
        Assert.Null(await controller.GetRecoverableEndAsync(wal.Id, stream, new StreamEpoch(1), default));
        await controller.TrimAsync(node, stream, new StreamEpoch(0), 4, default);
        await controller.CloseAsync(node, new StreamClose(stream, new StreamEpoch(0), 10), default);
        var opening = await controller.OpenAsync(node, stream, new StreamEpoch(3), default);
        Assert.Equal((4, 10, range), (opening.StartOffset, opening.EndOffset, opening.CheckpointRange));
        Assert.Equal([new EpochStart(new StreamEpoch(0), 0), new EpochStart(new StreamEpoch(3), 10)], opening.Epochs);
    }

    [Fact]
    public async Task A_fenced_sender_is_told_that_it_is_fenced_and_by_an_answer_that_is_not_older_than_its_fence()
    {
        var (controller, node) = await StartAsync();
        var successor = await controller.RegisterAsync(_process.Registration with { Incarnation = _process.Runtime.NewId() }, default);
        var fence = controller.Metadata.Image.Version;

        var refused = await CallAsync<LeaveNodeRequest, LeaveNodeResponse>(
            controller, new LeaveNodeRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value });
        var batch = await AskAsync(controller, node, new StreamOpsRequest { Prepares = [1], CommittedEnds = [5] });

        Assert.Equal((ControllerError.Fenced, fence), (refused.Error, refused.Version));
        Assert.Equal(ControllerError.Fenced, (ControllerError)batch.Prepared[0].ErrorCode);
        Assert.Equal([-1], batch.CommittedEnds);
        Assert.Equal(
            StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(() => controller.GetSharesAsync(node, default).AsTask())).Error);
        Assert.Empty(await controller.GetSharesAsync(successor, default));
    }

    [Fact]
    public async Task A_controller_that_was_deposed_says_so_to_all_and_that_nobody_is_fenced()
    {
        var (controller, node) = await StartAsync();
        var stream = await controller.CreateAsync(node, default);
        await using var second = new ControllerNode(_storage);
        await second.StartAsync(Quiet);

        // It finds out when it appends; from then on it answers no question either.
        var append = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, Request(node, new StreamOpsRequest { Creations = 1 }));
        var question = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, Request(node, new StreamOpsRequest { CommittedEnds = [stream.Value] }));
        var topics = await Assert.ThrowsAsync<ControllerException>(
            () => controller.CreateTopicsAsync(new CreateTopicsRequest { Topics = [new() { Name = "t" }] }, default).AsTask());

        Assert.Equal(
            [ControllerError.ControllerLost, ControllerError.ControllerLost, ControllerError.ControllerLost],
            [append.Error, question.Error, topics.Error]);
    }

    [Fact]
    public async Task A_controller_that_was_deposed_and_does_not_know_it_tells_what_is_committed_and_not_where_that_lies_now()
    {
        var (controller, node) = await StartAsync();
        var stream = await controller.CreateAsync(node, default);
        await controller.OpenAsync(node, stream, new StreamEpoch(0), default);
        var id = await controller.PrepareAsync(node, 1, default);
        await controller.CommitAsync(new UploadCommit(node, null, [ClusterScript.Range(id, stream, 0, 0, 10)]), default);
        Assert.Single(await controller.GetRangesAsync(stream, 0, 10, asOfNow: true, default));
        await using var second = new ControllerNode(_storage);
        await second.StartAsync(Quiet);

        Assert.Single(await controller.GetRangesAsync(stream, 0, 10, asOfNow: false, default));
        var refusal = await Assert.ThrowsAsync<StreamException>(async () => await controller.GetRangesAsync(stream, 0, 10, asOfNow: true, default));

        Assert.Equal(StreamError.ControllerLost, refusal.Error);
    }

    [Fact]
    public async Task A_controller_that_knows_less_than_its_sender_is_none_and_does_nothing()
    {
        var (controller, node) = await StartAsync();
        var version = controller.Metadata.Image.Version;
        var streams = controller.Controller.State.Streams.NextStreamId;
        var request = Request(node, new StreamOpsRequest { Creations = 1 });

        var ofLaterTerm = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, request, new MetadataVersion(version.Term + 1, 0));
        var ofLaterEntry = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, request, version with { Index = version.Index + 1 });
        Assert.Equal(streams, controller.Controller.State.Streams.NextStreamId);
        var ofOlderTerm = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, request, new MetadataVersion(version.Term - 1, version.Index + 100));

        Assert.Equal(
            [ControllerError.ControllerLost, ControllerError.ControllerLost, ControllerError.None], [ofLaterTerm.Error, ofLaterEntry.Error, ofOlderTerm.Error]);
    }

    [Fact]
    public async Task An_answer_names_the_entry_that_made_the_image_it_rests_on()
    {
        var (controller, _) = await StartAsync();
        var before = controller.Metadata.Image.Version;
        var request = new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] };

        var created = await CallAsync<CreateTopicsRequest, CreateTopicsResponse>(controller, request);
        var again = await CallAsync<CreateTopicsRequest, CreateTopicsResponse>(controller, request);

        await using var log = await _process.OpenLogAsync();
        Assert.True(before < created.Version);
        Assert.Equal((created.Version, created.Version), (log.Image.Version, again.Version));
        Assert.Equal(ErrorCode.TopicAlreadyExists, (ErrorCode)again.Response!.Topics[0].ErrorCode);
    }

    [Fact]
    public async Task A_request_from_this_process_is_judged_and_answered_as_one_that_came_in_bytes()
    {
        var (controller, node) = await StartAsync();
        var version = controller.Metadata.Image.Version;
        var request = Request(node, new StreamOpsRequest { Creations = 1 });

        var created = await controller.Endpoint.CallAsync<StreamOpsRequest, StreamOpsResponse>(request, version, default);
        var asNone = await controller.Endpoint.CallAsync<StreamOpsRequest, StreamOpsResponse>(request, new MetadataVersion(version.Term + 1, 0), default);
        request.NodeEpoch--;
        var fenced = await controller.Endpoint.CallAsync<StreamOpsRequest, StreamOpsResponse>(request, version, default);

        Assert.Equal((ControllerError.None, version, 0L), (created.Error, created.Version, created.Response!.Created[0].StreamId));
        Assert.Equal((ControllerError.ControllerLost, version), (asNone.Error, asNone.Version));
        Assert.Equal(ControllerError.Fenced, (ControllerError)fenced.Response!.Created[0].ErrorCode);
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await controller.Endpoint.CallAsync<MetadataRequest, MetadataResponse>(new MetadataRequest(), version, default));
    }

    [Fact]
    public async Task A_request_for_which_the_queue_has_no_room_is_refused_for_now()
    {
        await using var storage = new TestStorage();
        await using var process = new ControllerNode(storage);
        var controller = await process.StartAsync(Quiet);
        var node = await controller.RegisterAsync(process.Registration, default);
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        storage.BeforePut = async (_, token) =>
        {
            writing.TrySetResult();
            await held.Task.WaitAsync(token);
        };
        var first = controller.CreateAsync(node, default).AsTask();
        await writing.Task;
        var waiting = Enumerable.Range(0, ControllerQueue.Limit).Select(_ => controller.GetWaitingWalsAsync(default).AsTask()).ToList();

        var refused = await Assert.ThrowsAsync<ControllerException>(
            () => controller.CreateTopicsAsync(new CreateTopicsRequest { Topics = [new() { Name = "t" }] }, default).AsTask());

        Assert.Equal(ControllerError.Busy, refused.Error);
        held.SetResult();
        await first;
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task More_operations_than_an_entry_can_bear_are_refused_as_a_whole()
    {
        var (controller, node) = await StartAsync();
        StreamOpsRequest[] requests =
        [
            new() { Creations = StreamRequests.MaxOperations + 1 },
            new() { Creations = -1 },
            new() { Creations = StreamRequests.MaxOperations, CommittedEnds = [1] },
            new() { CommittedEnds = new long[StreamRequests.MaxOperations + 1] },
        ];
        foreach (var request in requests)
        {
            Assert.Equal(ControllerError.InvalidRequest, (await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, Request(node, request))).Error);
        }

        Assert.Equal(0, controller.Controller.State.Streams.NextStreamId);
    }

    [Fact]
    public async Task A_loss_is_accepted_from_a_live_node_only()
    {
        var (controller, node) = await StartAsync();
        await controller.RegisterAsync(_process.Registration with { Incarnation = _process.Runtime.NewId() }, default);
        var request = new AcceptLossRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, WalId = _process.Runtime.NewId() };

        Assert.Equal(ControllerError.Fenced, (await CallAsync<AcceptLossRequest, AcceptLossResponse>(controller, request)).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0013000000")]
    [InlineData("0003000000000000000000000000000000000000000000")]
    [InlineData("2711000900000000000000000000000000000000000000")]
    [InlineData("27110000000000000000000000000000000000000000000001")]
    public async Task Bytes_of_no_request_are_refused_as_malformed(string bytes)
    {
        var (controller, _) = await StartAsync();

        Assert.Throws<ProtocolException>(() => { _ = controller.Endpoint.ExchangeAsync(Convert.FromHexString(bytes), default); });
    }

    private async Task<(AskedController Controller, NodeIncarnation Node)> StartAsync()
    {
        var controller = await _process.StartAsync(Quiet);
        return (controller, await controller.RegisterAsync(_process.Registration, default));
    }

    private static StreamOpsRequest Request(NodeIncarnation node, StreamOpsRequest request)
    {
        (request.NodeId, request.NodeEpoch) = (node.Node.Value, node.Epoch.Value);
        return request;
    }

    private static async Task<StreamOpsResponse> AskAsync(AskedController controller, NodeIncarnation node, StreamOpsRequest request)
    {
        var answer = await CallAsync<StreamOpsRequest, StreamOpsResponse>(controller, Request(node, request));
        Assert.Equal(ControllerError.None, answer.Error);
        return answer.Response!;
    }

    private static async Task<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(
        AskedController controller, TRequest request, MetadataVersion known = default)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        await new EncodedLink(controller.Endpoint.ExchangeAsync).CallAsync<TRequest, TResponse>(request, known, default);

    private async Task<int> CountEntriesAsync() => (await _storage.ListAsync("meta/LOG/", null, 1_000, default)).Count;
}
