using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Endpoint;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Clients;

/// <summary>What a node asks of its streams at the same time, and in how many requests that goes to the controller.</summary>
public sealed class StreamRegistryTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10), OwnershipInterval = TimeSpan.FromHours(1) };

    private readonly MemoryObjectStorage _storage = new();
    private readonly ControllerNode _process;
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AskedController _controller = null!;
    private CountedLink _link = null!;
    private NodeIncarnation _node;
    private StreamRegistry _registry = null!;

    public StreamRegistryTests() => _process = new ControllerNode(_storage);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task What_is_asked_while_a_request_is_under_way_goes_together_in_the_next_and_each_gets_its_own_answer()
    {
        var streams = await StartAsync(streams: 200);
        Hold();
        var first = _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), default).AsTask();
        var others = streams.Skip(1).Append(new StreamId(77_777))
            .Select(stream => _registry.OpenAsync(_node, stream, new StreamEpoch(0), default).AsTask())
            .ToList();
        var ids = new[] { 1, 2, 3 }.Select(count => _registry.PrepareAsync(_node, count, default).AsTask()).ToList();
        _held.SetResult();

        Assert.Equal(0, (await first.WaitAsync(Patience)).EndOffset);
        Assert.Equal(StreamError.Unknown, (await Assert.ThrowsAsync<StreamException>(() => others[^1].WaitAsync(Patience))).Error);
        await Task.WhenAll(others.SkipLast(1)).WaitAsync(Patience);
        Assert.Equal([0L, 1, 3], (await Task.WhenAll(ids).WaitAsync(Patience)).Select(id => id.Value));
        Assert.Equal(2, _link.Requests);
        Assert.Equal(200, _controller.Controller.State.Streams.OpenStreamsOf(_node).Count());
    }

    [Fact]
    public async Task What_is_asked_of_one_stream_is_decided_in_the_order_of_asking()
    {
        var streams = await StartAsync(streams: 2);
        Hold();
        var first = _registry.PrepareAsync(_node, 1, default).AsTask();

        // In one request both openings would be decided before the closing, by their kinds.
        var opened = _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), default).AsTask();
        var closed = _registry.CloseAsync(_node, new StreamClose(streams[0], new StreamEpoch(0), 0), default).AsTask();
        var again = _registry.OpenAsync(_node, streams[0], new StreamEpoch(1), default).AsTask();
        var other = _registry.OpenAsync(_node, streams[1], new StreamEpoch(0), default).AsTask();
        _held.SetResult();

        await Task.WhenAll(first, opened, closed, again, other).WaitAsync(Patience);
        Assert.Equal([new EpochStart(new StreamEpoch(1), 0)], (await again).Epochs);
        Assert.Equal(4, _link.Requests);
    }

    [Fact]
    public async Task Nothing_waits_for_others_while_none_is_under_way_and_questions_never_wait_for_deeds()
    {
        var streams = await StartAsync(streams: 1);
        await _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), default).AsTask().WaitAsync(Patience);
        Assert.Equal(1, _link.Requests);
        Hold(request => request == 2);
        var deed = _registry.PrepareAsync(_node, 1, default).AsTask();

        Assert.Equal(0, await _registry.GetCommittedEndAsync(streams[0], default).AsTask().WaitAsync(Patience));
        Assert.False(deed.IsCompleted);
        _held.SetResult();
        await deed.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_refusal_of_a_whole_request_is_told_to_all_who_are_in_it_each_in_its_own_exception()
    {
        var streams = await StartAsync(streams: 3);
        Hold();
        var asked = streams.Select(stream => _registry.OpenAsync(_node, stream, new StreamEpoch(0), default).AsTask()).ToList();
        _link.Before = _ => throw new ControllerException(ControllerError.ControllerLost, "gone");
        _held.SetException(new ControllerException(ControllerError.Busy, "later"));

        var refusals = new List<StreamException>();
        foreach (var one in asked)
        {
            refusals.Add(await Assert.ThrowsAsync<StreamException>(() => one.WaitAsync(Patience)));
        }

        Assert.Equal([StreamError.StorageUnavailable, StreamError.ControllerLost, StreamError.ControllerLost], refusals.Select(refusal => refusal.Error));
        Assert.NotSame(refusals[1], refusals[2]);
        _link.Before = _ => default;
        await _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), default).AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_request_that_nobody_waits_for_any_more_is_given_up_and_what_waited_behind_it_goes_on()
    {
        var streams = await StartAsync(streams: 2);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _link.Before = async token =>
        {
            _link.Before = _ => default;
            token.UnsafeRegister(_ => cancelled.TrySetResult(), null);
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
        };
        using var impatient = new CancellationTokenSource();
        var first = _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), impatient.Token).AsTask();
        var waiting = _registry.OpenAsync(_node, streams[0], new StreamEpoch(0), impatient.Token).AsTask();
        var other = _registry.OpenAsync(_node, streams[1], new StreamEpoch(0), default).AsTask();
        Assert.False(other.IsCompleted);

        impatient.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        await cancelled.Task.WaitAsync(Patience);
        await other.WaitAsync(Patience);
        Assert.Equal([streams[1]], _controller.Controller.State.Streams.OpenStreamsOf(_node));
    }

    [Fact]
    public async Task An_opening_tells_the_first_ranges_and_as_many_as_an_answer_has_room_for()
    {
        var streams = await StartAsync(streams: 12);
        foreach (var stream in streams)
        {
            await _registry.OpenAsync(_node, stream, new StreamEpoch(0), default);
        }

        for (var i = 0; i < 1_100; i++)
        {
            var id = await _registry.PrepareAsync(_node, 1, default);
            await _registry.CommitAsync(new UploadCommit(_node, null, [.. streams.Select(stream => ClusterScript.Range(id, stream, 0, i, i + 1))]), default);
        }

        await Task.WhenAll(streams.Select(stream => _registry.CloseAsync(_node, new StreamClose(stream, new StreamEpoch(0), 1_100), default).AsTask()));
        var request = new StreamOpsRequest
        {
            NodeId = _node.Node.Value,
            NodeEpoch = _node.Epoch.Value,
            Opens = [.. streams.Select(stream => new StreamOpsRequest.Open { StreamId = stream.Value, Epoch = 1 })],
        };
        var opened = (await _controller.SendAsync<StreamOpsRequest, StreamOpsResponse>(request)).Opened;

        Assert.Equal([.. Enumerable.Repeat(1_000, 10), 0, 0], opened.Select(opening => opening.Ranges.Count));
        Assert.Equal(StreamRequests.MaxRanges, opened.Sum(opening => opening.Ranges.Count));
        Assert.Equal(1_100, (await RangePages.LoadAsync(_registry, streams[0], await OpenAgainAsync(streams[0]), default)).Count);
    }

    [Fact]
    public async Task The_ranges_that_openings_had_no_room_for_are_asked_for_by_many_streams_in_one_request()
    {
        const int Ranges = 50;
        var streams = await StartAsync(streams: 600);
        await Task.WhenAll(streams.Select(stream => _registry.OpenAsync(_node, stream, new StreamEpoch(0), default).AsTask()));
        for (var i = 0; i < Ranges; i++)
        {
            var id = await _registry.PrepareAsync(_node, 1, default);
            await _registry.CommitAsync(new UploadCommit(_node, null, [.. streams.Select(stream => ClusterScript.Range(id, stream, 0, i, i + 1))]), default);
        }

        await Task.WhenAll(streams.Select(stream => _registry.CloseAsync(_node, new StreamClose(stream, new StreamEpoch(0), Ranges), default).AsTask()));
        var openings = await Task.WhenAll(streams.Select(stream => OpenAgainAsync(stream).AsTask()));
        var before = _link.Requests;
        Hold(request => request == before + 1);
        var loading = streams.Zip(openings, (stream, opening) => RangePages.LoadAsync(_registry, stream, opening, default).AsTask()).ToList();
        _held.SetResult();

        Assert.All(await Task.WhenAll(loading), ranges => Assert.Equal(Ranges, ranges.Count));
        // 30,000 ranges: 10,050 in the answers to the two requests for openings (more, if it took a third), 50 in the one that was held, and no more than
        // 4,096 in each of the others.
        Assert.InRange(_link.Requests - before, 2, 1 + 5);
    }

    private ValueTask<StreamOpening> OpenAgainAsync(StreamId stream) => _registry.OpenAsync(_node, stream, new StreamEpoch(1), default);

    private async Task<StreamId[]> StartAsync(int streams)
    {
        _controller = await _process.StartAsync(Quiet);
        _node = await _controller.RegisterAsync(_process.Registration, default);
        _link = new CountedLink(new EncodedLink(_controller.Endpoint.ExchangeAsync));
        _registry = new StreamRegistry(new ControllerChannel(_link, _controller.Metadata), _node);
        return await Task.WhenAll(Enumerable.Range(0, streams).Select(_ => _controller.CreateAsync(_node, default).AsTask()));
    }

    /// <summary>Keeps the first request, or those that are meant by their number, until it is let go.</summary>
    private void Hold(Func<long, bool>? isMeant = null) =>
        _link.Before = async _ =>
        {
            if (isMeant?.Invoke(_link.Requests) ?? _link.Requests == 1)
            {
                await _held.Task;
            }
        };
}
