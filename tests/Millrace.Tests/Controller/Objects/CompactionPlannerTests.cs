using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Streams;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Objects;

/// <summary>Which objects are given out to be merged, and to whom.</summary>
public sealed class CompactionPlannerTests : IAsyncDisposable
{
    private static readonly ClusterControllerOptions Options = new() { CompactionFanIn = 3, CompactedRangeBytes = 5_000 };

    private readonly MemoryObjectStorage _storage = new();
    private readonly ControllerNode _process;
    private readonly ClusterScript _script = new();
    private readonly CompactionPlanner _planner;
    private readonly NodeIncarnation _first;
    private readonly NodeIncarnation _second;

    public CompactionPlannerTests()
    {
        _process = new ControllerNode(_storage);
        _planner = new CompactionPlanner(_process.Runtime, Options);
        (_first, _second) = (_script.Register(name: "first"), _script.Register(name: "second"));
    }

    [Fact]
    public void So_many_objects_that_follow_one_another_are_given_to_one_node_until_it_asks_again()
    {
        var stream = _script.OpenStream(_first);
        var objects = Upload(stream, 3);

        Assert.Equal(objects, Take(_first));
        Assert.Empty(Take(_second));
    }

    [Fact]
    public void Fewer_are_left_alone()
    {
        Upload(_script.OpenStream(_first), 2);

        Assert.Empty(Take(_first));
    }

    [Fact]
    public void What_came_to_nothing_rests_a_while_and_is_given_out_again()
    {
        var objects = Upload(_script.OpenStream(_first), 3);
        Take(_first);
        Assert.Empty(Take(_first));
        Assert.Empty(Take(_second));

        _process.Time.Advance(Options.CompactionPatience);

        Assert.Equal(objects, Take(_second));
    }

    [Fact]
    public void What_a_node_had_that_is_fenced_or_took_too_long_is_another_s()
    {
        var objects = Upload(_script.OpenStream(_second), 6);
        Assert.Equal(objects[..3], Take(_first));
        Assert.Equal(objects[3..], Take(_second));
        _script.Do(entry => NodeOperations.Fence(entry, _first));

        // Nothing has come of it, but that is not the objects' fault.
        var third = _script.Register(name: "third");
        _process.Time.Advance(Options.CompactionPatience);
        Assert.Equal(3, Take(third).Count);
    }

    [Fact]
    public void Of_what_most_is_gone_the_rest_is_given_out_by_itself()
    {
        StreamId[] streams = [.. Enumerable.Range(0, 4).Select(_ => _script.OpenStream(_first))];
        var id = _script.Prepare(_first);
        _script.Commit(_first, null, [.. streams.Select(stream => ClusterScript.Range(id, stream, 0, 0, 10))]);
        Assert.Empty(Take(_first));

        foreach (var stream in streams.Skip(1))
        {
            _script.Do(entry => StreamOperations.Trim(entry, _first, stream, new StreamEpoch(0), 10));
        }

        Assert.Equal([id], Take(_first));
    }

    [Fact]
    public void Of_what_most_of_the_bytes_are_gone_the_rest_is_given_out_though_most_of_the_ranges_are_left()
    {
        var (large, small) = (_script.OpenStream(_first), _script.OpenStream(_first));
        var id = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(id, large, 0, 0, 11), ClusterScript.Range(id, small, 0, 0, 10));
        Assert.Empty(Take(_first));

        _script.Do(entry => StreamOperations.Trim(entry, _first, large, new StreamEpoch(0), 11));

        Assert.Equal([id], Take(_first));
    }

    [Fact]
    public void What_holds_anything_of_a_deleted_stream_is_given_out_when_as_much_time_has_passed_as_a_deleted_object_stays()
    {
        var deleted = OpenTopic("t");
        var lives = _script.OpenStream(_first);
        var (id, other) = (_script.Prepare(_first), _script.Prepare(_first));
        _script.Commit(_first, null, ClusterScript.Range(id, deleted, 0, 0, 1), ClusterScript.Range(id, lives, 0, 0, 1_000));
        _script.Commit(_first, null, ClusterScript.Range(other, lives, 0, 1_000, 2_000));
        _script.DeleteTopic("t");
        Assert.Empty(Take(_first));

        _process.Time.Advance(Options.DeletionDelay);

        Assert.Equal([id], Take(_first));
    }

    [Fact]
    public void What_was_uploaded_of_a_stream_that_was_deleted_meanwhile_is_given_out_too()
    {
        var deleted = OpenTopic("t");
        var lives = _script.OpenStream(_first);
        _script.DeleteTopic("t");
        var id = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(id, deleted, 0, 0, 1), ClusterScript.Range(id, lives, 0, 0, 1_000));
        Assert.Empty(Take(_first));

        _process.Time.Advance(Options.DeletionDelay);

        Assert.Equal([id], Take(_first));
    }

    [Fact]
    public void What_was_merged_of_a_stream_that_was_deleted_meanwhile_is_given_out_once_more_and_then_no_more()
    {
        var deleted = OpenTopic("t");
        var lives = _script.OpenStream(_first);
        var source = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(source, deleted, 0, 0, 1), ClusterScript.Range(source, lives, 0, 0, 1_000));
        _script.DeleteTopic("t");
        var merged = _script.Prepare(_first);
        Replace(source, merged, ClusterScript.Range(merged, deleted, 0, 0, 1), ClusterScript.Range(merged, lives, 0, 0, 1_000));
        Assert.Empty(Take(_first));
        _process.Time.Advance(Options.DeletionDelay);
        Assert.Equal([merged], Take(_first));

        var pure = _script.Prepare(_first);
        Replace(merged, pure, ClusterScript.Range(pure, lives, 0, 0, 1_000));
        _process.Time.Advance(2 * Options.DeletionDelay);

        Assert.Empty(Take(_first));
    }

    [Fact]
    public void What_a_node_is_slow_about_stays_its_own_as_long_as_it_gets_on()
    {
        var stream = _script.OpenStream(_first);
        var objects = Upload(stream, 3);
        Assert.Equal(objects, Take(_first));
        _process.Time.Advance(Options.CompactionPatience * 0.7);
        _planner.OnProgress(_first);
        _process.Time.Advance(Options.CompactionPatience * 0.7);
        Assert.Empty(Take(_second));

        _process.Time.Advance(Options.CompactionPatience * 0.3);

        Assert.Equal(objects, Take(_second));
    }

    [Fact]
    public void What_is_large_stays_as_it_is_and_parts_what_lies_before_and_behind_it()
    {
        var stream = _script.OpenStream(_first);
        Upload(stream, 2);
        var large = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(large, stream, 0, 20, 30) with { Bytes = 6_000, ObjectSize = 6_000 });
        _script.Upload(_first, stream, 0, 30, 40);
        _script.Upload(_first, stream, 0, 40, 50);
        Assert.Empty(Take(_first));

        _script.Upload(_first, stream, 0, 50, 60);

        Assert.DoesNotContain(large, Take(_first));
    }

    [Fact]
    public void What_has_little_of_the_stream_is_merged_however_much_of_others_lies_there()
    {
        var stream = _script.OpenStream(_first);
        ObjectId[] objects = [.. Enumerable.Range(0, 3).Select(i => Upload(stream, i * 10, objectBytes: 6_000))];

        Assert.Equal(objects, Take(_first));
    }

    [Fact]
    public void So_many_small_ones_between_larger_ones_are_worth_it_though_there_are_never_eight_of_a_size()
    {
        var planner = new CompactionPlanner(_process.Runtime, new ClusterControllerOptions());
        var stream = _script.OpenStream(_first);
        for (var i = 0; i < 36; i++)
        {
            Upload(stream, i * 10, objectBytes: i % 6 == 5 ? 1_000 : 10);
        }

        Assert.Equal(32, planner.Take(_script.State, _first).Count);
    }

    [Fact]
    public void What_is_mostly_gone_is_found_though_there_are_more_ranges_than_one_search_looks_at()
    {
        for (var i = 0; i < 2; i++)
        {
            var many = _script.OpenStream(_first);
            var large = _script.Prepare(_first);
            _script.Commit(
                _first, null, [.. Enumerable.Range(0, 51_000).Select(at => ClusterScript.Range(large, many, 0, at, at + 1) with { ObjectSize = 6_000 })]);
        }

        StreamId[] streams = [.. Enumerable.Range(0, 4).Select(_ => _script.OpenStream(_first))];
        var thin = _script.Prepare(_first);
        _script.Commit(_first, null, [.. streams.Select(stream => ClusterScript.Range(thin, stream, 0, 0, 10))]);
        foreach (var stream in streams.Skip(1))
        {
            _script.Do(entry => StreamOperations.Trim(entry, _first, stream, new StreamEpoch(0), 10));
        }

        Assert.Equal([thin], Take(_first));
    }

    [Fact]
    public void That_records_were_trimmed_meanwhile_does_not_make_a_job_that_fails_come_again()
    {
        var stream = _script.OpenStream(_first);
        Upload(stream, 4);
        Take(_first);
        _script.Do(entry => StreamOperations.Trim(entry, _first, stream, new StreamEpoch(0), 10));

        Assert.Empty(Take(_first));
    }

    [Fact]
    public void What_is_left_of_a_job_that_got_somewhere_is_given_out_at_once()
    {
        var stream = _script.OpenStream(_first);
        var objects = Upload(stream, 3);
        var requests = new CompactionRequests(_planner, CompactionRules.Default);
        Take(_first);
        var merged = _script.Prepare(_first);
        SourceShare[] shares = [.. objects[..2].Select(id => new SourceShare(id, _script.State.Streams.Objects.All[id].Digest, default))];
        var range = ClusterScript.Range(merged, stream, 0, 0, 20) with { ObjectDigest = shares[0].Taken + shares[1].Taken };
        var response = _script.Do(entry => requests.Commit(entry, CompactionForms.ToMessage(new CompactionCommit(_first, shares, [range]))));
        Assert.Equal(2, response.Replaced);
        var next = Upload(stream, 30, objectBytes: 1_000);

        Assert.Equal([merged, objects[2], next], Take(_first));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private List<ObjectId> Take(NodeIncarnation node) => [.. _planner.Take(_script.State, node).Select(source => source.Object)];

    private StreamId OpenTopic(string name)
    {
        var id = _script.CreateTopic(name).Partitions[0].Stream;
        _script.Open(_first, id, _script.State.Cluster.Topics[name].Partitions[0].Epoch.Value);
        return id;
    }

    /// <summary>An object in the place of another, with what it has of it.</summary>
    private void Replace(ObjectId source, ObjectId target, params ObjectRange[] ranges)
    {
        var digest = _script.State.Streams.Objects.All[source].Digest;
        ObjectRange[] proven = [.. ranges.Select(range => range with { ObjectDigest = digest })];
        _script.Do(entry => CompactionJudge.Commit(
            entry, new CompactionCommit(_first, [new SourceShare(source, digest, default)], proven), CompactionRules.Default));
    }

    private ObjectId Upload(StreamId stream, long start, long objectBytes)
    {
        var id = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(id, stream, 0, start, start + 10) with { ObjectSize = objectBytes });
        return id;
    }

    private List<ObjectId> Upload(StreamId stream, int count)
    {
        var owner = _script.Stream(stream).OpenRange!.Value.Owner;
        return [.. Enumerable.Range(0, count).Select(i => _script.Upload(owner, stream, 0, i * 10, (i + 1) * 10))];
    }
}
