using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Wal;

/// <summary>What tests append to a WAL, and how they look whether it came back.</summary>
internal static class WalRecords
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A record whose every byte follows from its offset.</summary>
    public static StreamRecord Record(long offset, int size, long stream = 1)
    {
        var payload = new byte[size];
        for (var i = 0; i < size; i++)
        {
            payload[i] = (byte)(offset * 131 + i * 7 + (i >> 8));
        }

        return new(new(stream), new(5), offset * 10, 10, 1_700_000_000_000 + offset, payload);
    }

    public static IEnumerable<StreamRecord> Records(int count, int size = 1000) => Enumerable.Range(0, count).Select(i => Record(i, size));

    /// <summary>Appends all at once, and waits for all.</summary>
    public static async Task AppendAllAsync(IWriteAheadLog wal, IEnumerable<StreamRecord> records)
    {
        var tasks = new List<Task>();
        foreach (var record in records)
        {
            tasks.Add(wal.AppendAsync(record, out _).AsTask());
        }

        await Task.WhenAll(tasks);
    }

    public static async Task<List<StreamRecord>> ReadAllAsync(ISealedWal recovery)
    {
        var found = new List<StreamRecord>();
        await foreach (var record in recovery.ReadAsync(Token))
        {
            found.Add(record with { Payload = record.Payload.ToArray() });
        }

        return found;
    }

    public static async Task AssertHoldsAsync(ISealedWal recovery, IEnumerable<StreamRecord> expected) =>
        AssertSame(expected, await ReadAllAsync(recovery));

    public static void AssertSame(IEnumerable<StreamRecord> expected, IEnumerable<StreamRecord> found) =>
        Assert.Equal(expected.Select(Describe), found.Select(Describe));

    private static string Describe(StreamRecord record) =>
        $"{record.Stream} {record.Epoch} {record.BaseOffset} {record.Count} {record.MaxTimestamp} {record.Payload.Length} {Crc32C.Of(record.Payload.Span):x8}";
}
