using Millrace.Streams.Wal.Ring;
using Millrace.Tests.Streams.Wal.Crash;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Ring;

/// <summary>Which appends a ring writes together, and which groups beside one another.</summary>
public sealed class RingWalGroupsTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromMilliseconds(50);

    [Theory]
    [InlineData(RingMedium.BufferedFile)]
    [InlineData(RingMedium.DirectFile)]
    public async Task What_comes_while_a_group_is_under_way_goes_together_and_behind_it(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        using var writes = new HeldWrites(bed);
        var first = wal.AppendAsync(Record(0, 1000), out _).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => writes.Begun == 1));

        var others = Enumerable.Range(1, 9).Select(i => wal.AppendAsync(Record(i, 1000), out _).AsTask()).ToArray();
        await Task.Delay(LongEnough, TestContext.Current.CancellationToken);
        Assert.Equal(1, writes.Begun);

        writes.Release();
        await Task.WhenAll([first, .. others]);
        Assert.Equal(2, writes.Begun);
        Assert.Equal((1, 9), (bed.Block(wal.Descriptor, 0).Count, bed.Block(wal.Descriptor, 1).Count));
    }

    [Theory]
    [InlineData(RingMedium.BufferedFile)]
    [InlineData(RingMedium.DirectFile)]
    public async Task A_large_group_goes_beside_the_one_under_way_and_is_told_after_it(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        using var writes = new HeldWrites(bed);
        var first = wal.AppendAsync(Record(0, 1000), out _).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => writes.Begun == 1));

        var large = wal.AppendAsync(Record(1, RingWal.LargeGroup), out _).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => writes.Begun == 2));
        writes.ReleaseNewest();
        await Task.Delay(LongEnough, TestContext.Current.CancellationToken);
        Assert.False(large.IsCompleted);

        writes.Release();
        await Task.WhenAll(first, large);
    }

    /// <summary>Writes to devices that wait to be let go.</summary>
    private sealed class HeldWrites : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly List<TaskCompletionSource> _held = [];
        private bool _released;

        public HeldWrites(RingBed bed) => bed.Files.Before = (call, _) => call == "write device" ? HoldAsync() : default;

        public int Begun
        {
            get
            {
                lock (_lock)
                {
                    return _held.Count;
                }
            }
        }

        /// <summary>The newest alone.</summary>
        public void ReleaseNewest()
        {
            lock (_lock)
            {
                _held[^1].SetResult();
            }
        }

        /// <summary>All, and those to come.</summary>
        public void Release()
        {
            lock (_lock)
            {
                _released = true;
                _held.ForEach(write => write.TrySetResult());
            }
        }

        public void Dispose() => Release();

        private async ValueTask HoldAsync()
        {
            var write = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                _held.Add(write);
                if (_released)
                {
                    write.SetResult();
                }
            }

            await write.Task;
        }
    }
}
