using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.State;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploadCaptureTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Cores _cores = new();
    private readonly ManualTime _time = new();
    private readonly StatefulOwner _owner = new();
    private readonly UploadPlanner _planner;
    private readonly UploadCapture _capture;
    private readonly StreamUploads _stream;

    public UploadCaptureTests()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        _planner = new UploadPlanner(_time, TestNode.Small, new NodeWals(_cores.Wal), budget, () => 1);
        _owner.Core = _cores.Open(1, owner: _owner);
        var context = new UploadContext(_time, TestNode.Small, new NodeWals(_cores.Wal), _planner, Registry: null!, Indexes: null!, new TailCache(0, budget));
        (_capture, _stream) = (new UploadCapture(context), new StreamUploads(_owner.Core, context));
    }

    [Fact]
    public async Task An_owner_is_not_asked_where_there_is_nothing_to_upload()
    {
        Assert.False(_stream.IsNeeded);
        Assert.Null(await _capture.CaptureAsync(_stream, default));
        _cores.Append(_owner.Core, walPosition: 10);
        Assert.True(_stream.IsNeeded);
        _owner.Core.Lose(new StreamException(StreamError.Unknown, "deleted"));
        Assert.Null(await _capture.CaptureAsync(_stream, default));
        Assert.Equal(0, _owner.Asked);
    }

    [Fact]
    public async Task The_newest_state_is_waited_for_until_it_is_durable()
    {
        _cores.Append(_owner.Core, walPosition: 10, isDurable: false);
        var taking = _capture.CaptureAsync(_stream, default);
        Assert.False(taking.IsCompleted);
        Cores.Confirm(_owner.Core);
        Assert.Equal(1, (await taking.WaitAsync(Patience, TestContext.Current.CancellationToken))!.Value.Offset);
    }

    [Fact]
    public async Task It_is_waited_for_no_longer_than_a_second_and_not_in_a_full_wal()
    {
        _cores.Append(_owner.Core, walPosition: 10, isDurable: false);
        var patient = _capture.CaptureAsync(_stream, default);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await patient.WaitAsync(Patience, TestContext.Current.CancellationToken))!.Value.Offset);
        _cores.Wal.Fullness = 1;
        Assert.Equal(1, (await _capture.CaptureAsync(_stream, default).WaitAsync(Patience, TestContext.Current.CancellationToken))!.Value.Offset);
        Assert.Equal(0, _owner.Core.Offsets.Confirmed);
    }

    [Fact]
    public async Task A_checkpoint_comes_along_when_it_is_due_or_the_stream_closes()
    {
        _owner.Core.Checkpoints.OnTaken(bytes: 100);
        _cores.Append(_owner.Core, walPosition: 10);
        Assert.True((await _capture.CaptureAsync(_stream, default))!.Value.Checkpoint.IsEmpty);
        _owner.Core.Checkpoints.OnAppended(100);
        Assert.False((await _capture.CaptureAsync(_stream, default))!.Value.Checkpoint.IsEmpty);
        _owner.Core.Checkpoints.OnTaken(bytes: 100);
        _owner.Core.Life.BeginClosing(handsOver: false);
        Assert.False((await _capture.CaptureAsync(_stream, default))!.Value.Checkpoint.IsEmpty);
    }

    public async ValueTask DisposeAsync()
    {
        await _planner.DisposeAsync();
        _cores.Dispose();
    }

    private sealed class StatefulOwner : IStreamOwner
    {
        public StreamCore Core { get; set; } = null!;

        public int Asked { get; private set; }

        public OwnerState Capture(long since, bool withCheckpoint)
        {
            Asked++;
            return new OwnerState(Core.Offsets.Next, withCheckpoint ? new byte[10] : default(ReadOnlyMemory<byte>), default);
        }

        public void OnConfirmed(long confirmOffset)
        {
        }

        public void OnLost(StreamError error)
        {
        }
    }
}
