using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Wal;

public sealed class GatheredRecordsTests : IDisposable
{
    private const int Page = 4096;
    private const int HeadSize = 64;
    private readonly BufferPool _pool = new(0);

    [Theory]
    [InlineData(1, 100)]
    [InlineData(3, Page - HeadSize - WalRecordFormat.HeaderSize)]
    [InlineData(1, (1 << 20) - HeadSize - WalRecordFormat.HeaderSize)]
    [InlineData(5, 1_000_000)]
    [InlineData(2000, 1700)]
    public void Copied_records_fill_pieces_of_whole_pages(int count, int payload)
    {
        var appends = Appends(knowChecksums: true, [.. Enumerable.Repeat(payload, count)]);
        var gathered = new GatheredRecords();
        gathered.Build(_pool, appends, HeadSize, Page, int.MaxValue);

        Assert.All(gathered.Parts, part => Assert.Equal(0, part.Length % Page));
        Assert.All(gathered.Parts.SkipLast(1), part => Assert.Equal(1 << 20, part.Length));
        AssertHolds(appends, gathered, Page);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Large_payloads_stay_where_they_are(bool knowChecksums)
    {
        var copied = GatheredRecords.CopiedPayload;
        var appends = Appends(knowChecksums, copied, copied, Crc32C.WorthJoining, Crc32C.WorthJoining, 1);
        var payloads = Payloads(appends);
        var gathered = new GatheredRecords();
        gathered.Build(_pool, appends, HeadSize, alignment: 1, GatheredRecords.CopiedPayload);

        Assert.Equal(5, gathered.Parts.Count);
        Assert.Equal(payloads[2], gathered.Parts[1]);
        Assert.Equal(payloads[3], gathered.Parts[3]);
        AssertHolds(appends, gathered, alignment: 1);
    }

    public void Dispose()
    {
        Assert.Equal(0, _pool.RentedBytes);
        _pool.Dispose();
    }

    private static void AssertHolds(WalAppendQueue.Group appends, GatheredRecords gathered, int alignment)
    {
        byte[] laidOut = [.. gathered.Parts.SelectMany(part => part.ToArray())];
        Assert.Equal(0, laidOut.Length % alignment);
        ReadOnlyMemory<byte> body = laidOut.AsMemory(HeadSize, gathered.BodyLength);
        Assert.Equal(Crc32C.Of(body.Span), gathered.Checksum);
        Assert.All(laidOut[(HeadSize + gathered.BodyLength)..], padding => Assert.Equal(0, padding));
        Assert.InRange(laidOut.Length - HeadSize - gathered.BodyLength, 0, alignment - 1);
        foreach (var append in appends)
        {
            Assert.True(WalRecordFormat.TryRead(ref body, out var record));
            Assert.Equal(append.Record.Payload.ToArray(), record.Payload.ToArray());
        }

        Assert.True(body.IsEmpty);
        gathered.Head.Fill(1);
        Assert.Equal(1, gathered.Parts[0].Span[HeadSize - 1]);
        gathered.Release();
    }

    private static List<ReadOnlyMemory<byte>> Payloads(WalAppendQueue.Group appends)
    {
        var payloads = new List<ReadOnlyMemory<byte>>();
        foreach (var append in appends)
        {
            payloads.Add(append.Record.Payload);
        }

        return payloads;
    }

    private static WalAppendQueue.Group Appends(bool knowChecksums, params int[] payloads)
    {
        var queue = new WalAppendQueue(0);
        var random = new Random(payloads.Length);
        for (var i = 0; i < payloads.Length; i++)
        {
            var bytes = new byte[payloads[i]];
            random.NextBytes(bytes);
            var record = new StreamRecord(new StreamId(1), new StreamEpoch(1), i, 1, -1, bytes)
            {
                PayloadChecksum = knowChecksums ? Crc32C.Of(bytes) : null,
            };
            _ = queue.Append(record, out _);
        }

        Assert.True(queue.Take(int.MaxValue, out var appends));
        return appends;
    }
}
