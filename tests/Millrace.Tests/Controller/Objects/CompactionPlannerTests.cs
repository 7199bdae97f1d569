using Millrace.Controller;
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
    public void What_is_large_stays_as_it_is_and_parts_what_lies_before_and_behind_it()
    {
        var stream = _script.OpenStream(_first);
        Upload(stream, 2);
        var large = _script.Prepare(_first);
        _script.Commit(_first, null, ClusterScript.Range(large, stream, 0, 20, 30) with { ObjectSize = 6_000 });
        _script.Upload(_first, stream, 0, 30, 40);
        _script.Upload(_first, stream, 0, 40, 50);
        Assert.Empty(Take(_first));

        _script.Upload(_first, stream, 0, 50, 60);

        Assert.DoesNotContain(large, Take(_first));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private List<ObjectId> Take(NodeIncarnation node) => [.. _planner.Take(_script.State, node).Select(source => source.Object)];

    private List<ObjectId> Upload(StreamId stream, int count)
    {
        var owner = _script.Stream(stream).OpenRange!.Value.Owner;
        return [.. Enumerable.Range(0, count).Select(i => _script.Upload(owner, stream, 0, i * 10, (i + 1) * 10))];
    }
}
