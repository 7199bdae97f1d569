using Millrace.Runtime;
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
        var appends = Appends(count, payload, knowChecksums: true);
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
        List<WalAppend> appends =
        [
            .. Appends(2, GatheredRecords.CopiedPayload, knowChecksums),
            .. Appends(2, Crc32C.WorthJoining, knowChecksums),
            .. Appends(1, 1, knowChecksums),
        ];
        var gathered = new GatheredRecords();
        gathered.Build(_pool, appends, HeadSize, alignment: 1, GatheredRecords.CopiedPayload);

        Assert.Equal(5, gathered.Parts.Count);
        Assert.Equal(appends[2].Record.Payload, gathered.Parts[1]);
        Assert.Equal(appends[3].Record.Payload, gathered.Parts[3]);
        AssertHolds(appends, gathered, alignment: 1);
    }

    public void Dispose()
    {
        Assert.Equal(0, _pool.RentedBytes);
        _pool.Dispose();
    }

    private static void AssertHolds(List<WalAppend> appends, GatheredRecords gathered, int alignment)
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

    private static List<WalAppend> Appends(int count, int payload, bool knowChecksums)
    {
        var queue = new WalAppendQueue(0);
        var random = new Random(count);
        for (var i = 0; i < count; i++)
        {
            var bytes = new byte[payload];
            random.NextBytes(bytes);
            var record = new StreamRecord(new StreamId(1), new StreamEpoch(1), i, 1, -1, bytes)
            {
                PayloadChecksum = knowChecksums ? Crc32C.Of(bytes) : null,
            };
            _ = queue.Append(record, out _);
        }

        var appends = new List<WalAppend>();
        Assert.True(queue.Take(appends, int.MaxValue));
        return appends;
    }
}
