using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Streams.Objects;

/// <summary>A range that is too large to go at once is taken apart.</summary>
public sealed class UploadRangeTests
{
    private static readonly StreamClose Close = new(new StreamId(7), new StreamEpoch(3), 106, HandsOver: true);

    [Fact]
    public void Of_its_halves_the_second_has_the_checkpoint_and_closes_the_stream()
    {
        var (first, second) = Range(3).Split()!.Value;

        Assert.Equal((100L, 102L, null), (first.StartOffset, first.EndOffset, first.Closing));
        Assert.Equal((102L, 106L, (StreamClose?)Close), (second.StartOffset, second.EndOffset, second.Closing?.Invoke()));
        Assert.Equal((0, 1), (first.Checkpoint.Length, second.Checkpoint.Length));
        Assert.Equal([100, 102, 104], first.Records.Concat(second.Records).Select(record => record.BaseOffset));
        Assert.Equal((10L, 20L), (first.Bytes, second.Bytes));
    }

    [Fact]
    public void The_closing_stays_with_the_last_part_however_often_it_is_taken_apart()
    {
        var parts = new List<UploadRange>();
        for (var rest = Range(3); ;)
        {
            if (rest.Split() is not { } halves)
            {
                parts.Add(rest);
                break;
            }

            parts.Add(halves.First);
            rest = halves.Second;
        }

        Assert.Equal([null, null, Close], parts.Select(part => part.Closing?.Invoke()));
        Assert.Equal([100, 102, 104, 106], [100, .. parts.Select(part => part.EndOffset)]);
    }

    [Fact]
    public void A_record_alone_or_an_annex_is_not_taken_apart()
    {
        Assert.Null(Range(1).Split());
        Assert.Null((Range(3) with { Annex = new byte[1] }).Split());
    }

    /// <summary>Records of two offsets and ten bytes each, up to offset 106.</summary>
    private static UploadRange Range(int records)
    {
        var start = 106 - (2 * records);
        return new UploadRange(
            Close.Stream, Close.Epoch, start, 106,
            [.. Enumerable.Range(0, records).Select(i => new StreamRecord(Close.Stream, Close.Epoch, start + (2 * i), 2, -1, new byte[10]))],
            new byte[1], default) { Closing = () => Close };
    }
}
