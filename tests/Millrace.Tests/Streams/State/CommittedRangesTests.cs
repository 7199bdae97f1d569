using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

/// <summary>Ranges that were merged while their owner knew them as they were.</summary>
public sealed class CommittedRangesTests
{
    private readonly CommittedRanges _ranges = new();

    public CommittedRangesTests()
    {
        _ranges.Add(Range(1, 0, 10));
        _ranges.Add(Range(2, 10, 20));
        _ranges.Add(Range(3, 20, 30));
    }

    [Fact]
    public void Merged_ranges_take_the_place_of_those_that_were_known()
    {
        _ranges.Refresh([Range(9, 0, 30)], start: 0, committedEnd: 30);

        Assert.Equal([(9, 0, 30)], All());
    }

    [Fact]
    public void Of_what_was_merged_with_a_commit_that_is_not_known_yet_a_part_is_taken_in_and_the_commit_follows()
    {
        _ranges.Refresh([Range(1, 0, 10), Range(9, 10, 40)], start: 0, committedEnd: 30);
        _ranges.Add(Range(4, 30, 40));

        Assert.Equal([(1, 0, 10), (9, 10, 30), (4, 30, 40)], All());
    }

    [Fact]
    public void An_answer_that_was_overtaken_by_another_one_leaves_no_gap()
    {
        _ranges.Refresh([Range(9, 0, 30)], start: 0, committedEnd: 30);
        _ranges.Refresh([Range(1, 0, 10), Range(2, 10, 20)], start: 0, committedEnd: 30);

        Assert.Equal([(1, 0, 10), (2, 10, 20), (9, 20, 30)], All());
        Assert.Equal(new ObjectId(9), _ranges.Find(25)?.Object);
        Assert.Equal(0, _ranges.Find(25)?.WrittenStartOffset);
    }

    [Fact]
    public async Task What_was_merged_between_two_pages_does_not_come_twice()
    {
        var registry = new TestRegistry();
        var (node, id, epoch) = (new NodeIncarnation(new NodeId(1), new NodeEpoch(1)), await registry.CreateAsync(default, default), new StreamEpoch(1));
        await registry.OpenAsync(node, id, epoch, default);
        await registry.CommitAsync(new UploadCommit(node, null, [Range(9, 0, 30) with { Stream = id }]), default);
        var opening = new StreamOpening(0, 30, [], null) { RangeCount = 3, Ranges = [Range(1, 0, 10), Range(2, 10, 20)] };

        var loaded = await RangePages.LoadAsync(registry, id, opening, default);

        Assert.Equal([(1, 0, 10), (2, 10, 20), (9, 20, 30)], loaded.Select(range => (range.Object.Value, range.StartOffset, range.EndOffset)));
    }

    [Fact]
    public async Task What_was_trimmed_between_two_pages_leaves_no_gap()
    {
        var registry = new TestRegistry();
        var (node, id, epoch) = (new NodeIncarnation(new NodeId(1), new NodeEpoch(1)), await registry.CreateAsync(default, default), new StreamEpoch(1));
        await registry.OpenAsync(node, id, epoch, default);
        foreach (var number in Enumerable.Range(0, 30))
        {
            await registry.CommitAsync(new UploadCommit(node, null, [Range(number + 1, number, number + 1) with { Stream = id }]), default);
        }

        var opening = new StreamOpening(0, 30, [], null) { RangeCount = 30, Ranges = [Range(1, 0, 1), Range(2, 1, 2)] };
        var asked = 0;
        registry.Before = async call =>
        {
            if (call == "GetRangesAsync" && ++asked == 2)
            {
                await registry.TrimAsync(node, id, epoch, 20, default);
            }
        };
        var later = await RangePages.LoadAsync(registry, id, 0, expected: 5, asOfNow: false, default);
        var opened = await RangePages.LoadAsync(registry, id, opening, default);

        Assert.Equal(20, later[0].StartOffset);
        Assert.Equal(20, opened[0].StartOffset);
        _ranges.Refresh(later, start: 0, committedEnd: 30);
        _ranges.Replace(opened);
        Assert.Equal(10, _ranges.Count);
    }

    private IEnumerable<(long, long, long)> All() =>
        Enumerable.Range(0, _ranges.Count).Select(i => (_ranges[i].Object.Value, _ranges[i].StartOffset, _ranges[i].EndOffset));

    private static ObjectRange Range(long id, long start, long end) =>
        new(new ObjectId(id), ObjectKind.StreamSet, 1_000, new StreamId(7), new StreamEpoch(1), start, end, end - start, -1, HasCheckpoint: false, default);
}
