using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploadPlannerTests : IAsyncDisposable
{
    private static readonly StreamsOptions Options = new() { UploadBytes = 1000, UploadInterval = TimeSpan.FromSeconds(10) };
    private readonly ManualTime _time = new();
    private readonly TestWal _wal = new(new NodeId(1), new NodeEpoch(1));
    private readonly MemoryBudget _budget = new(100, reserve: 0, () => { });
    private readonly Cores _cores = new();
    private readonly UploadPlanner _planner;
    private readonly UploadContext _context;
    private readonly StreamUploads _first;
    private readonly StreamUploads _second;
    private int _streams = 2;

    public UploadPlannerTests()
    {
        _planner = new UploadPlanner(_time, Options, new NodeWals(_wal), _budget, () => _streams);
        _context = new UploadContext(_time, Options, new NodeWals(_wal), _planner, Registry: null!, Indexes: null!, new TailCache(0, _budget));
        (_first, _second) = (new StreamUploads(_cores.Open(1), _context), new StreamUploads(_cores.Open(2), _context));
    }

    [Fact]
    public void All_is_due_by_size()
    {
        _planner.OnAppended(999);
        Assert.Null(_planner.Take(isIdle: true));
        _planner.OnAppended(held: 0);
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: false));
        Assert.Null(_planner.Take(isIdle: true));
    }

    [Fact]
    public void All_is_due_when_the_oldest_record_is_old_however_little_memory_it_holds()
    {
        _planner.OnAppended(held: 0);
        _time.Advance(TimeSpan.FromSeconds(9));
        _planner.OnAppended(held: 0);
        Assert.Null(_planner.Take(isIdle: true));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: false));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(_planner.Take(isIdle: true));
    }

    [Fact]
    public void All_is_due_later_where_many_streams_have_little()
    {
        _streams = 1_500;
        _planner.OnAppended(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(_planner.Take(isIdle: true));

        // What was found holds until the next upload of all.
        _streams = 0;
        _time.Advance(TimeSpan.FromSeconds(19));
        _planner.OnAppended(1);
        Assert.Null(_planner.Take(isIdle: true));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
        Assert.Equal(TimeSpan.FromSeconds(30), _planner.Interval);

        _planner.OnAppended(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
        Assert.Equal(TimeSpan.FromSeconds(10), _planner.Interval);
    }

    [Fact]
    public async Task An_upload_that_many_streams_put_off_begins_by_itself_when_its_time_has_come()
    {
        var (shortest, longest) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(200));
        var options = Options with { UploadInterval = shortest, UploadIntervalLimit = longest };
        await using var planner = new UploadPlanner(TimeProvider.System, options, new NodeWals(_wal), _budget, () => 1_000_000);
        var began = TimeProvider.System.GetTimestamp();
        planner.OnAppended(1);

        while (planner.Take(isIdle: true) is null)
        {
            await planner.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }

        Assert.True(TimeProvider.System.GetElapsedTime(began) >= longest);
        Assert.Equal(longest, planner.Interval);
    }

    [Theory]
    [InlineData(1_000, 0)]
    [InlineData(1, 0.6)]
    public void What_is_put_off_is_due_when_a_recovery_would_have_as_much_to_read_as_it_may(int bytes, double fullness)
    {
        _streams = 1_000_000;
        _planner.OnAppended(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(_planner.Take(isIdle: true));

        _planner.OnAppended(bytes);
        _wal.Fullness = fullness;

        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
    }

    [Fact]
    public void All_is_due_when_the_wal_is_half_full_and_no_upload_is_under_way()
    {
        _wal.Fullness = 0.6;
        Assert.Null(_planner.Take(isIdle: true));
        _planner.OnAppended(1);
        Assert.Null(_planner.Take(isIdle: false));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
    }

    [Fact]
    public async Task All_is_due_when_appends_wait_for_memory_and_no_upload_is_under_way()
    {
        using var all = await _budget.AdmitAsync(100, default);
        var waiting = _budget.AdmitAsync(1, default);
        _planner.OnAppended(1);
        Assert.Null(_planner.Take(isIdle: false));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
        all.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public void Whoever_asks_for_streams_gets_these_and_the_others_stay_as_due_as_they_were()
    {
        _planner.OnAppended(600);
        _planner.Ask(_second);
        _planner.Ask(_first);
        _planner.Ask(_second);
        Assert.Equal([_second, _first], _planner.Take(isIdle: true)!.Streams);
        Assert.Null(_planner.Take(isIdle: true));
        _planner.OnAppended(400);
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: true));
    }

    [Fact]
    public void All_is_due_under_pressure_though_an_upload_hangs_when_the_oldest_record_is_a_second_old()
    {
        _wal.Fullness = 0.6;
        _planner.OnAppended(1);
        Assert.Null(_planner.Take(isIdle: false));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: false));

        // And no more often than that, should the one that hangs keep the WAL half full.
        _planner.OnAppended(1);
        Assert.Null(_planner.Take(isIdle: false));
    }

    [Theory]
    [InlineData(500, 1_000_000, 1_000)]
    [InlineData(500, 0, 500)]
    [InlineData(10_000, 1_000_000, 1_000)]
    public async Task Under_pressure_nothing_is_put_off_however_short_the_interval(int intervalMs, int streams, int dueMs)
    {
        _streams = streams;
        var options = Options with { UploadInterval = TimeSpan.FromMilliseconds(intervalMs) };
        await using var planner = new UploadPlanner(_time, options, new NodeWals(_wal), _budget, () => _streams);
        _wal.Fullness = 0.6;
        planner.OnAppended(1);
        _time.Advance(TimeSpan.FromMilliseconds(dueMs - 1));
        Assert.Null(planner.Take(isIdle: false));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Same(UploadOrder.Everything, planner.Take(isIdle: false));
    }

    [Fact]
    public async Task A_record_that_has_just_come_is_not_taken_for_as_old_as_the_ones_of_before()
    {
        var time = new TimeWithObserver(_time);
        await using var planner = new UploadPlanner(time, Options, new NodeWals(_wal), _budget, () => _streams);
        planner.OnAppended(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Same(UploadOrder.Everything, planner.Take(isIdle: true));
        _time.Advance(TimeSpan.FromSeconds(10));

        // The loop looks when the record is counted, and its time is just being asked for.
        UploadOrder? taken = null;
        time.Asked = () => taken = planner.Take(isIdle: true);
        planner.OnAppended(1);

        Assert.Null(taken);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Same(UploadOrder.Everything, planner.Take(isIdle: true));
    }

    [Fact]
    public void To_ask_for_streams_takes_no_memory_once_as_many_have_been_asked_for()
    {
        AskTwice();
        AskTwice();
        var before = GC.GetAllocatedBytesForCurrentThread();
        _planner.Ask(_first);
        _planner.Ask(_second);
        _planner.Ask(_first);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void AskTwice()
        {
            _planner.Ask(_first);
            _planner.Ask(_second);
            Assert.Equal([_first, _second], _planner.Take(isIdle: true)!.Streams);
        }
    }

    [Fact]
    public void What_was_asked_for_goes_along_when_all_is_due()
    {
        _planner.Ask(_first);
        _planner.AskForAll();
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: false));
        Assert.Null(_planner.Take(isIdle: true));
    }

    [Fact]
    public async Task Those_who_ask_together_are_taken_together()
    {
        using (_planner.Gather())
        {
            _planner.Ask(_first);
            Assert.Null(_planner.Take(isIdle: true));
            _planner.Ask(_second);
        }

        await _planner.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal([_first, _second], _planner.Take(isIdle: true)!.Streams);
    }

    [Fact]
    public async Task What_is_held_up_is_due_again_when_an_upload_has_ended_and_not_before()
    {
        _planner.HoldUp([_second]);
        _planner.Ask(_first);
        Assert.Equal([_first], _planner.Take(isIdle: false)!.Streams);
        Assert.Null(_planner.Take(isIdle: false));
        _planner.OnUploadEnded();
        await _planner.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal([_second], _planner.Take(isIdle: false)!.Streams);

        _planner.HoldUp([_second]);
        _planner.AskForAll();
        Assert.Same(UploadOrder.Everything, _planner.Take(isIdle: false));
        _planner.OnUploadEnded();
        Assert.Null(_planner.Take(isIdle: false));
    }

    [Fact]
    public void Whoever_asks_late_for_a_stream_that_was_lost_takes_no_upload_from_its_next_opening()
    {
        var next = new StreamUploads(_cores.Open(1, epoch: 2), _context);
        _planner.Ask(next);
        _first.Core.Lose(new StreamException(StreamError.WalFailed, "lost alone"));
        _planner.Ask(_first);
        Assert.Contains(next, _planner.Take(isIdle: true)!.Streams!);

        _planner.HoldUp([next]);
        _planner.HoldUp([_first]);
        _planner.OnUploadEnded();
        Assert.Contains(next, _planner.Take(isIdle: true)!.Streams!);
    }

    public async ValueTask DisposeAsync()
    {
        await _planner.DisposeAsync();
        _cores.Dispose();
    }

    /// <summary>Tells, once, when the time is asked for.</summary>
    private sealed class TimeWithObserver(TimeProvider time) : TimeProvider
    {
        public Action? Asked { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp()
        {
            var asked = Asked;
            Asked = null;
            asked?.Invoke();
            return time.GetTimestamp();
        }
    }
}
