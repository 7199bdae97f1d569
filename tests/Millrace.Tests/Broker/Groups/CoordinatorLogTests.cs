using System.Text;
using Millrace.Broker.Groups;
using Millrace.Coordination.Shards;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Groups;

public sealed class CoordinatorLogTests
{
    [Fact]
    public async Task What_comes_behind_an_append_that_memory_was_short_for_is_refused_until_the_log_is_read_anew()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var log = new CoordinatorLog(broker.Runtime, await broker.OpenAsync(), broker.Buffers);
        Assert.Equal(0, await AppendAsync(log, "first"));

        broker.Node.Taking = _ => throw new InsufficientMemoryException();
        await Assert.ThrowsAsync<InsufficientMemoryException>(() => AppendAsync(log, "second"));
        broker.Node.Taking = null;
        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => AppendAsync(log, "third"));

        Assert.Equal(CoordinatorError.Unavailable, refused.Error);
        Assert.Equal(["first"], await ReadAsync(log));
        Assert.Equal(1, await AppendAsync(log, "fourth"));
        Assert.Equal(["first", "fourth"], await ReadAsync(log));
        Assert.Equal(["fourth"], await ReadAsync(log, from: 1));
        Assert.Empty(await ReadAsync(log, from: 2));
    }

    [Fact]
    public async Task What_is_trimmed_is_not_read_again()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var log = new CoordinatorLog(broker.Runtime, await broker.OpenAsync(), broker.Buffers);
        foreach (var key in new[] { "first", "second", "third" })
        {
            await AppendAsync(log, key);
        }

        await log.TrimAsync(1, default);
        Assert.Equal(["second", "third"], await ReadAsync(log));
    }

    private static async Task<long> AppendAsync(CoordinatorLog log, string key) =>
        await log.AppendAsync([new EncodedRecord(Encoding.UTF8.GetBytes(key), null)], timestamp: 1);

    private static async Task<List<string>> ReadAsync(CoordinatorLog log, long from = 0)
    {
        var keys = new List<string>();
        await foreach (var part in log.ReadAsync(from, default))
        {
            keys.AddRange(part.Records.Select(record => Encoding.UTF8.GetString(record.Key.Span)));
        }

        return keys;
    }
}
