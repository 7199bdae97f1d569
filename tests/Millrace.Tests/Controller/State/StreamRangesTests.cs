using CsCheck;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.State;

public sealed class StreamRangesTests
{
    private static readonly Gen<RangeState> Range = Gen.Select(
        Gen.OneOf(Gen.Long[0, 5], Gen.Long[0, long.MaxValue]),
        Gen.OneOf(Gen.Long[1, 9], Gen.Long[1, 1 << 20]),
        Gen.OneOf(Gen.Const(0L), Gen.Long[1, 1 << 20]),
        Gen.OneOf(Gen.Long[0, 1 << 20], Gen.Long[0, long.MaxValue]),
        Gen.OneOf(Gen.Long[-1, 1], Gen.Long[1_700_000_000_000, 1_700_000_100_000], Gen.Long),
        Gen.Bool,
        (@object, length, cut, bytes, time, checkpoint) => new RangeState(new ObjectId(@object), 0, length, -cut, bytes, time, checkpoint));

    [Fact]
    public void What_was_packed_is_told_again_whole_from_an_offset_on_and_after_a_trim() =>
        Gen.Select(Range.Array[1, 200], Gen.Int[0, 1_000]).Sample((lengths, place) =>
        {
            var (all, ranges) = Follow(lengths);
            Assert.Equal(all, ranges);
            Assert.Equal(all.Count, ranges.Count);

            var middle = all[place % all.Count];
            foreach (var offset in new[] { middle.StartOffset - 1, middle.StartOffset, middle.EndOffset - 1, middle.EndOffset })
            {
                List<RangeState> after = [.. all.Where(range => range.EndOffset > offset)];
                Assert.Equal(after, ranges.After(offset));
                var rest = ranges.From(offset);
                Assert.Equal(after, rest);
                Assert.Equal(after, rest.After(long.MinValue));
                Assert.True(rest.IsEmpty || (rest.StartOffset == after[0].StartOffset && rest.EndOffset == all[^1].EndOffset));
                Assert.Equal(all, ranges);
            }
        });

    [Fact]
    public void Pieces_are_read_back_from_their_bytes_and_go_on_where_they_ended() =>
        Gen.Select(Range.Array[1, 100], Range).Sample((lengths, next) =>
        {
            var (all, ranges) = Follow(lengths);
            var seen = new List<RangeState>();
            var read = ranges.Pieces.Aggregate(
                StreamRanges.Empty, (before, piece) => before.Add(PackedRanges.Read(piece.StartOffset, piece.Bytes, seen.Add)));
            Assert.Equal(all, seen);
            Assert.Equal(all, read);

            var following = At(next, read.EndOffset);
            Assert.Equal(all.Append(following), read.Add(following));
        });

    [Fact]
    public void A_range_takes_about_a_dozen_bytes_in_memory_and_in_the_log()
    {
        // As a stream has them that takes a little with each upload: ids of objects go on in hundreds, times in ten seconds.
        var (ranges, upload) = (StreamRanges.Empty, new UploadWriter());
        for (var i = 0; i < 1_000; i++)
        {
            var range = new RangeState(
                new ObjectId(i * 100), i * 300, (i + 1) * 300, i * 300, 40_000 + i, 1_700_000_000_000 + (i * 10_000), HasCheckpoint: true);
            ranges = ranges.Add(range);
            upload.Add(new StreamId(i * 3), 0, range);
        }

        Assert.InRange(ranges.Pieces.Sum(piece => piece.Bytes.Length) / 1_000, 1, 12);
        Assert.InRange(upload.ToBytes().Length / 1_000, 1, 12);
    }

    [Fact]
    public void An_upload_is_read_as_it_was_written_over_several_objects()
    {
        var upload = new UploadWriter();
        upload.Add(new StreamId(9), 2, new RangeState(new ObjectId(30), 5, 8, 3, 7, -1, HasCheckpoint: true));
        upload.Add(new StreamId(9), 0, new RangeState(new ObjectId(10), 8, 9, 8, 0, 17, HasCheckpoint: false));
        upload.Add(new StreamId(4), 0, new RangeState(new ObjectId(10), 0, 1, 0, 2, 16, HasCheckpoint: false));
        var reader = new UploadReader(new UploadCommittedRecord
        {
            Objects = [new() { ObjectId = 10 }, new() { ObjectId = 20 }, new() { ObjectId = 30 }], Ranges = upload.ToBytes(),
        });

        Assert.True(reader.TryReadStream(out var stream));
        Assert.Equal(new StreamId(9), stream);
        Assert.Equal(new RangeState(new ObjectId(30), 5, 8, 3, 7, -1, HasCheckpoint: true), reader.ReadRange(5));
        Assert.True(reader.TryReadStream(out stream));
        Assert.Equal(new StreamId(9), stream);
        Assert.Equal(new RangeState(new ObjectId(10), 8, 9, 8, 0, 17, HasCheckpoint: false), reader.ReadRange(8));
        Assert.True(reader.TryReadStream(out stream));
        Assert.Equal(new StreamId(4), stream);
        Assert.Equal(new RangeState(new ObjectId(10), 0, 1, 0, 2, 16, HasCheckpoint: false), reader.ReadRange(0));
        Assert.False(reader.TryReadStream(out _));
    }

    private static (List<RangeState> All, StreamRanges Ranges) Follow(IEnumerable<RangeState> lengths)
    {
        var all = new List<RangeState>();
        var ranges = StreamRanges.Empty;
        foreach (var range in lengths)
        {
            all.Add(At(range, all.Count > 0 ? all[^1].EndOffset : 7));
            ranges = ranges.Add(all[^1]);
        }

        return (all, ranges);
    }

    private static RangeState At(RangeState range, long offset) =>
        range with { StartOffset = offset, EndOffset = offset + range.EndOffset, WrittenStartOffset = offset + range.WrittenStartOffset };
}
