using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Controller.Scaling;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

public sealed class HookRunsTests : IDisposable
{
    private static readonly ScaleOrder More = new(1, 2, null, null);
    private static readonly ScaleOrder Less = new(2, 1, new NodeId(7), "seven");

    private readonly ManualTime _time = new();
    private readonly RecordedHook _hook = new();
    private readonly List<HookRun> _ended = [];
    private readonly NodeRuntime _runtime;
    private readonly HookRuns _runs;

    public HookRunsTests()
    {
        _runtime = new NodeRuntime(_time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        _runs = new HookRuns(_runtime, _hook, ScaleRules.Default, _ended.Add);
    }

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public async Task None_is_due_while_one_runs_however_long_and_whatever_stands_by_then()
    {
        var ends = new TaskCompletionSource<HookEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        _hook.Ends = (number, _) => number == 0 ? ends.Task : Task.FromResult(new HookEnd(HookOutcome.Done, ""));
        await LookAsync(More);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            await LookAsync(i % 2 == 0 ? More with { Desired = 3 } : Less);
        }

        Assert.Equal([More], _hook.Orders);
        Assert.True(_runs.IsRunning);
        Assert.Null(_runs.Last!.End);
        ends.SetResult(new HookEnd(HookOutcome.Done, ""));
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            await LookAsync(Less);
            return _runs.HasDone(Less);
        }));
        Assert.Equal([More, Less], _hook.Orders);
    }

    [Fact]
    public async Task What_fails_is_told_and_tried_again_after_pauses_that_grow_until_it_is_done()
    {
        _hook.Ends = (number, _) => Task.FromResult(number < 3 ? new HookEnd(HookOutcome.Failed, "exit code 1: no") : new HookEnd(HookOutcome.Done, "yes"));
        var (began, tries) = (_time.GetUtcNow(), new List<TimeSpan>());
        for (var seconds = 0; seconds < 300 && !_runs.HasDone(More); seconds++)
        {
            var before = _hook.Orders.Count;
            await LookAsync(More);
            if (_hook.Orders.Count > before)
            {
                tries.Add(_time.GetUtcNow() - began);
            }

            await _runs.TakeInAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        // With their lots: from 5 to 15 s, from 10 to 30 s, from 20 to 60 s.
        Assert.Equal(4, tries.Count);
        Assert.InRange((tries[1] - tries[0]).TotalSeconds, 5, 16);
        Assert.InRange((tries[2] - tries[1]).TotalSeconds, 10, 31);
        Assert.InRange((tries[3] - tries[2]).TotalSeconds, 20, 61);
        Assert.Equal([1, 2, 3, 4], _ended.Select(run => run.Attempt));
        Assert.Equal("exit code 1: no", _ended[0].End!.Words);
        Assert.Equal((4, HookOutcome.Done, "yes"), (_runs.Last!.Attempt, _runs.Last.End!.Outcome, _runs.Last.End.Words));
    }

    [Fact]
    public async Task What_is_another_order_is_due_at_once_and_whether_a_broker_more_is_there_makes_none()
    {
        _hook.Ends = static (_, _) => Task.FromResult(new HookEnd(HookOutcome.TimedOut, ""));
        await LookAsync(More);
        await _runs.TakeInAsync();

        Assert.False(_runs.IsDue(More with { Current = 0 }));
        Assert.True(_runs.IsDue(More with { Desired = 3 }));
        Assert.True(_runs.IsDue(Less));
        await LookAsync(Less);
        Assert.Equal((Less, 1), (_runs.Last!.Order, _runs.Last.Attempt));
    }

    [Fact]
    public async Task A_broker_that_does_not_go_though_the_command_says_so_is_awaited_for_a_while()
    {
        await LookAsync(Less);
        Assert.False(_runs.HasDone(Less));
        await _runs.TakeInAsync();

        Assert.True(_runs.HasDone(Less));
        Assert.False(_runs.IsDue(Less));
        _time.Advance(ScaleRules.Default.Patience);
        Assert.True(_runs.IsDue(Less));
        await LookAsync(Less);
        Assert.Equal(1, _runs.Last!.Attempt);
    }

    [Fact]
    public async Task What_has_come_about_may_be_ordered_anew_at_once()
    {
        await LookAsync(Less);
        await _runs.TakeInAsync();
        _runs.Settle();

        Assert.False(_runs.HasDone(Less));
        Assert.True(_runs.IsDue(Less));
    }

    [Fact]
    public async Task A_run_that_ends_by_a_fault_of_ours_does_not_look_as_if_it_ran_still()
    {
        _hook.Ends = static (_, _) => throw new InvalidOperationException("a fault");
        await LookAsync(More);
        await _runs.TakeInAsync();

        Assert.False(_runs.IsRunning);
        Assert.Equal(new HookEnd(HookOutcome.Failed, "a fault"), _runs.Last!.End);
        Assert.Equal(_runs.Last, Assert.Single(_ended));
        Assert.False(_runs.IsDue(More));
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.True(_runs.IsDue(More));
    }

    [Fact]
    public async Task At_the_end_of_the_term_what_is_under_way_is_waited_for_however_it_ends()
    {
        var ends = new TaskCompletionSource<HookEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        _hook.Ends = (_, _) => ends.Task;
        await LookAsync(More);
        var closing = _runs.CloseAsync().AsTask();
        Assert.False(closing.IsCompleted);
        ends.SetException(new InvalidOperationException("a fault"));
        await closing;
    }

    private async Task LookAsync(ScaleOrder order)
    {
        await _runs.TakeInAsync();
        if (_runs.IsDue(order))
        {
            _runs.Begin(order, default);
        }
    }
}
