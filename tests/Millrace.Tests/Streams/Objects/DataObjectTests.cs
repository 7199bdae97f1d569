using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Streams.Objects;

public sealed class DataObjectTests : IDisposable
{
    private readonly BufferPool _buffers = new(maxIdleBytes: 1 << 20);

    public void Dispose() => _buffers.Dispose();

    [Fact]
    public void The_bytes_of_version_1_never_change()
    {
        StreamRecord[] records =
        [
            new(new StreamId(7), new StreamEpoch(3), 100, 2, 1_700_000_000_000, Encoding.ASCII.GetBytes("abc")),
            new(new StreamId(7), new StreamEpoch(3), 102, 1, -1, Encoding.ASCII.GetBytes("de")),
        ];
        var range = new UploadRange(
            new StreamId(7), new StreamEpoch(3), 100, 103, records, Encoding.ASCII.GetBytes("check"), Encoding.ASCII.GetBytes("annex"));
        using var written = DataObjectBuilder.Build(new ObjectId(42), ObjectKind.Stream, [range], blockBytes: 1000, _buffers);
        Assert.Equal(
            """
            4D524231A1A7F091020000000000000007000000000000000300000000000000640000000000000002000000000000000068E5CF8B01000003000000
            66000000000000000100000000000000FFFFFFFFFFFFFFFF050000006162636465636865636B616E6E65780100000001000000070000000000000003
            000000000000006400000000000000670000000000000005000000000000000068E5CF8B0100004CDACF76E5A9002736E8A3A197FE85000000000001
            0000005D0000000000000005000000DDC9F5FA620000000000000005000000E89F2CF6640000000000000067000000000000000068E5CF8B01000000
            000000000000005D000000020000002A000000000000002F010000000000006700000000000000980000006FBFD9C202010000000000005F0464654D
            524F31
            """.ReplaceLineEndings(""),
            Convert.ToHexString(written.Body.ToArray()));
    }

    [Fact]
    public async Task An_object_of_another_version_is_refused_by_its_number()
    {
        using var node = new RealNode();
        await using var storage = new MemoryObjectStorage();
        var record = new StreamRecord(new StreamId(7), new StreamEpoch(3), 100, 1, -1, new byte[10]);
        var range = new UploadRange(record.Stream, record.Epoch, 100, 101, [record], default, default);
        using var written = DataObjectBuilder.Build(new ObjectId(42), ObjectKind.Stream, [range], blockBytes: 1000, _buffers);
        var body = written.Body.ToArray();
        var footer = body.AsSpan(body.Length - DataObjectFooter.EncodedSize);
        footer[33] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(footer[40..], Crc32C.Of(footer[..40]));
        await storage.PutAsync(written.Key, new ReadOnlySequence<byte>(body), TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<StreamException>(async () => await new DataObjectReader(node.Runtime, new StreamsOptions(), storage.ReadAsync)
            .ReadIndexAsync(new ObjectId(42), body.Length, TestContext.Current.CancellationToken));

        Assert.Equal(
            (StreamError.Corrupt, $"Object {written.Key} has format 2, and this program knows 1: another version of Millrace wrote it"),
            (refused.Error, refused.Message));
    }

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        var genRecord = Gen.Select(Gen.Long[1, 5], Gen.Long[-1, 1000], Gen.Byte.Array[0, 300]);
        var genRange = Gen.Select(Gen.Long[0, 1L << 40], genRecord.Array[0, 12], Gen.Byte.Array[0, 40], Gen.Byte.Array[0, 40]);
        Gen.Select(genRange.Array[1, 6], Gen.Int[1, 500]).Sample(
            (ranges, blockBytes) =>
            {
                List<UploadRange> uploads = [.. ranges.Select((range, stream) => ToUpload(stream, range))];
                using var written = DataObjectBuilder.Build(new ObjectId(5), ObjectKind.StreamSet, uploads, blockBytes, _buffers);
                ReadOnlyMemory<byte> body = written.Body.ToArray();
                CheckObject(body, uploads, written, blockBytes);
            },
            iter: 300);
    }

    [Fact]
    public void A_damaged_block_is_refused_wherever_the_damage_is()
    {
        var upload = ToUpload(3, (10, [(1, 5, new byte[50]), (2, 6, new byte[20])], [], []));
        using var written = DataObjectBuilder.Build(new ObjectId(5), ObjectKind.Stream, [upload], 1000, _buffers);
        var entry = written.Index.Blocks[0];
        var block = written.Body.ToArray()[..entry.Size];
        Assert.Null(new DataBlock(block).FindFault(upload.Stream, upload.Epoch, entry));
        for (var i = 0; i < block.Length * 8; i++)
        {
            block[i / 8] ^= (byte)(1 << (i % 8));
            Assert.NotNull(new DataBlock(block).FindFault(upload.Stream, upload.Epoch, entry));
            block[i / 8] ^= (byte)(1 << (i % 8));
        }

        Assert.NotNull(new DataBlock(block).FindFault(new StreamId(4), upload.Epoch, entry));
        Assert.NotNull(new DataBlock(block).FindFault(upload.Stream, new StreamEpoch(4), entry));
        Assert.NotNull(new DataBlock(block).FindFault(upload.Stream, upload.Epoch, entry with { FirstOffset = 11 }));
        Assert.NotNull(new DataBlock(block).FindFault(upload.Stream, upload.Epoch, entry with { EndOffset = 14 }));
        Assert.NotNull(new DataBlock(block).FindFault(upload.Stream, upload.Epoch, entry with { RecordCount = 1 }));
    }

    [Fact]
    public void Damaged_footers_and_absurd_indexes_are_refused()
    {
        var footer = new byte[DataObjectFooter.EncodedSize];
        var written = new DataObjectFooter(new ObjectId(1), 1000, 800, 152, 77, ObjectKind.StreamSet);
        written.Write(footer);
        Assert.Equal(written, DataObjectFooter.Read(footer));
        for (var i = 0; i < footer.Length * 8; i++)
        {
            footer[i / 8] ^= (byte)(1 << (i % 8));
            Assert.Null(DataObjectFooter.Read(footer));
            footer[i / 8] ^= (byte)(1 << (i % 8));
        }

        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            // Random bytes are no index, or one that stays within its own bounds.
            var index = DataObjectIndex.Read(new ObjectId(1), 1000, bytes);
            Assert.True(index is null || index.EncodedSize == bytes.Length);
        });
    }

    [Fact]
    public void A_digest_is_the_sum_of_its_parts_and_tells_records_apart()
    {
        var upload = ToUpload(3, (10, [(1, 5, [1, 2]), (2, 6, [3]), (1, 7, [])], [], []));
        var digests = upload.Records.Select(record => RecordDigest.Of(record)).ToList();
        var sum = digests[0] + digests[1] + digests[2];
        using var written = DataObjectBuilder.Build(new ObjectId(5), ObjectKind.Stream, [upload], 1000, _buffers);
        Assert.Equal(sum, written.Ranges[0].ObjectDigest);
        Assert.Equal(digests[1] + digests[2], sum - digests[0]);

        var record = upload.Records.First();
        Assert.Equal(5, new[]
        {
            RecordDigest.Of(record), RecordDigest.Of(record with { Stream = new StreamId(9) }), RecordDigest.Of(record with { BaseOffset = 11 }),
            RecordDigest.Of(record with { MaxTimestamp = 6 }), RecordDigest.Of(record with { Payload = new byte[] { 1, 3 } }),
        }.Distinct().Count());
    }

    private static UploadRange ToUpload(int stream, (long Start, (long Count, long Timestamp, byte[] Payload)[] Records, byte[] Checkpoint, byte[] Annex) range)
    {
        var offset = range.Start;
        var records = new List<StreamRecord>();
        foreach (var (count, timestamp, payload) in range.Records)
        {
            records.Add(new(new StreamId(stream), new StreamEpoch(2), offset, count, timestamp, payload));
            offset += count;
        }

        return new UploadRange(new StreamId(stream), new StreamEpoch(2), range.Start, offset, [.. records], range.Checkpoint, range.Annex);
    }

    private static void CheckObject(ReadOnlyMemory<byte> body, List<UploadRange> uploads, DataObject written, int blockBytes)
    {
        var footer = DataObjectFooter.Read(body.Span[^DataObjectFooter.EncodedSize..])!.Value;
        Assert.Equal((body.Length, new ObjectId(5), ObjectKind.StreamSet), (footer.ObjectSize, footer.Object, footer.Kind));
        var encoded = body.Span.Slice((int)footer.IndexPosition, footer.IndexLength);
        Assert.Equal(footer.IndexCrc, Crc32C.Of(encoded));
        var index = DataObjectIndex.Read(footer.Object, footer.ObjectSize, encoded)!;
        Assert.Equal(written.Index.Ranges.ToArray(), index.Ranges.ToArray());
        Assert.Equal(uploads.Count, index.Ranges.Length);
        for (var i = 0; i < uploads.Count; i++)
        {
            var (upload, range) = (uploads[i], index.Ranges[i]);
            Assert.Equal((upload.StartOffset, upload.EndOffset, upload.Bytes), (range.StartOffset, range.EndOffset, range.Bytes));
            Assert.Equal(upload.Checkpoint.ToArray(), body.Slice((int)range.Checkpoint.Position, range.Checkpoint.Length).ToArray());
            Assert.Equal(upload.Annex.ToArray(), body.Slice((int)range.Annex.Position, range.Annex.Length).ToArray());
            var records = new List<StreamRecord>();
            foreach (var entry in index.Blocks.Slice(range.FirstBlock, range.BlockCount))
            {
                var block = new DataBlock(body.Slice((int)entry.Position, entry.Size));
                Assert.Null(block.FindFault(range.Stream, range.Epoch, entry));
                var payload = 0;
                for (var r = 0; r < block.Count; r++)
                {
                    records.Add(block[r]);
                    payload += block[r].Payload.Length;
                    Assert.Equal(r, block.Find(block[r].BaseOffset));
                    Assert.Equal(r, block.Find(block[r].EndOffset - 1));
                }

                Assert.True(payload <= blockBytes || block.Count == 1);
                Assert.Equal(index.FindBlock(range, entry.FirstOffset), index.FindBlock(range, entry.EndOffset - 1));
            }

            Assert.Equal(upload.Records.Select(Describe), records.Select(Describe));
            if (upload.EndOffset > upload.StartOffset)
            {
                Assert.Equal(i, index.FindRange(upload.Stream, upload.StartOffset, upload.EndOffset));
                Assert.Equal(i, index.FindRange(upload.Stream, upload.EndOffset - 1, upload.EndOffset));
                Assert.Equal(-1, index.FindRange(upload.Stream, upload.EndOffset, upload.EndOffset + 1));
            }
        }
    }

    private static (StreamId, StreamEpoch, long, long, long, string) Describe(StreamRecord record) =>
        (record.Stream, record.Epoch, record.BaseOffset, record.Count, record.MaxTimestamp, Convert.ToHexString(record.Payload.Span));
}
