using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Streams;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploadCutterTests : StreamsTest
{
    private const int Rounds = 10;
    private const int Records = 3_000;

    [Fact]
    public async Task A_stream_that_is_lost_while_it_is_cut_keeps_its_records_until_the_cut_is_done()
    {
        var node = Start(TestNode.Small with { NotUploadedBytes = 64 << 20, UploadBytes = 64 << 20 });
        var cutter = new UploadCutter(
            new UploadContext(
                node.Runtime.Time, node.Options, new NodeWals(node.Wal), node.Store.Planner, Registry: null!, node.Store.Indexes, node.Store.Tail),
            NullLogger.Instance);
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await node.CreateAsync();
            var appends = new List<Task>();
            for (var i = 0; i < Records; i++)
            {
                appends.Add(await node.BeginAppendAsync(owner, bytes: 1));
            }

            await Task.WhenAll(appends);
            var stream = node.Store.Streams.Single(open => open.Id == owner.Stream.Id);
            var state = owner.Capture(0, withCheckpoint: true);
            using var together = new Barrier(2);
            var losing = Task.Run(() =>
            {
                together.SignalAndWait();
                stream.Lose(new StreamException(StreamError.Unknown, "deleted"));
            });
            together.SignalAndWait();
            var cut = cutter.Cut(stream.Uploads, state, new UploadAllowance(long.MaxValue, int.MaxValue, int.MaxValue));
            await losing;
            if (cut is not null)
            {
                // Lost behind the cut: what is uploaded now must still be there.
                Assert.Equal(Records, cut.Range.Records.Sum(record => (long)record.Payload.Length));
                cut.Release();
            }
        }

        Assert.Equal(0, node.Store.NotUploadedBytes);
    }
}
