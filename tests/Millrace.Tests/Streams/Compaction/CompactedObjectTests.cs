using Millrace.Runtime.Ids;
using Millrace.Streams.Compaction;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Streams.Compaction;

/// <summary>Which ranges go into one object.</summary>
public sealed class CompactedObjectTests
{
    [Fact]
    public async Task No_object_has_more_ranges_than_one_commit_takes_and_those_of_a_stream_stay_together()
    {
        var objects = await DealAsync([.. Enumerable.Range(1, 4_000).Select(id => Ranges(id, 3))]);

        Assert.Equal([4_998, 4_998, 2_004], objects.Select(one => one.Ranges.Count));
    }

    [Fact]
    public async Task A_stream_of_more_ranges_than_one_commit_takes_lies_in_objects_of_its_own()
    {
        var objects = await DealAsync([Ranges(1, 2), Ranges(2, 12_000), Ranges(3, 2)]);

        Assert.Equal([(ObjectKind.Stream, 5_000), (ObjectKind.Stream, 5_000), (ObjectKind.Stream, 2_000), (ObjectKind.StreamSet, 4)],
            objects.Select(one => (one.Kind, one.Ranges.Count)));
    }

    private static async Task<List<CompactedObject>> DealAsync(IReadOnlyList<MergedRange>[] streams)
    {
        var objects = new List<CompactedObject>();
        await foreach (var one in CompactedObject.DealAsync(streams.ToAsyncEnumerable(), streamObjectBytes: 1 << 20, mostBytes: 2 << 20))
        {
            objects.Add(one);
        }

        return objects;
    }

    private static MergedRange[] Ranges(long stream, int count) =>
        [.. Enumerable.Range(0, count).Select(i => new MergedRange(new StreamId(stream), new StreamEpoch(i), i, i + 1, []))];
}
