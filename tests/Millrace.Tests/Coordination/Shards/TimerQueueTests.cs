using Millrace.Coordination.Shards;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

public sealed class TimerQueueTests
{
    private readonly ManualTime _time = new();
    private readonly TimerQueue<string> _timers;

    public TimerQueueTests() => _timers = new TimerQueue<string>(_time);

    [Fact]
    public void Timers_fire_in_the_order_of_their_deadlines_and_those_of_one_moment_in_the_order_set()
    {
        Start("late", 30);
        Start("first", 10);
        Start("second", 10);

        Assert.Equal([], Due());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(["first", "second"], Due());
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(["late"], Due());
        Assert.Null(_timers.UntilNext());
    }

    [Fact]
    public void A_timer_that_is_postponed_fires_at_its_new_deadline_only()
    {
        var timer = Start("heartbeat", 10);
        _time.Advance(TimeSpan.FromSeconds(9));
        timer.Start(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([], Due());
        Assert.Equal(TimeSpan.FromSeconds(5), _timers.UntilNext());
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["heartbeat"], Due());
    }

    [Fact]
    public void A_timer_that_is_brought_forward_fires_once_and_early()
    {
        var timer = Start("timer", 10);
        timer.Start(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["timer"], Due());
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal([], Due());
    }

    [Fact]
    public void A_stopped_timer_does_not_fire_and_can_be_started_again()
    {
        var timer = Start("timer", 10);
        timer.Stop();
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal([], Due());
        timer.Start(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["timer"], Due());
    }

    private ShardTimer<string> Start(string name, int seconds)
    {
        var timer = _timers.Create(result => result.Append(name));
        timer.Start(TimeSpan.FromSeconds(seconds));
        return timer;
    }

    private List<string> Due()
    {
        var result = new CoordinatorResult<string>();
        while (_timers.TakeDue() is { } timer)
        {
            timer.Fire(result);
        }

        return [.. result.Records];
    }
}
