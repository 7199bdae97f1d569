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
    public async Task One_runs_at_a_time_and_of_the_orders_that_come_meanwhile_the_newest_is_carried_out_then()
    {
        var ends = new TaskCompletionSource<HookEnd>();
        _hook.Ends = (number, _) => number == 0 ? ends.Task : Task.FromResult(new HookEnd(HookOutcome.Done, ""));
        _runs.Owe(More);
        await _runs.AdvanceAsync(default);
        _runs.Owe(More with { Desired = 3 });
        _runs.Owe(Less);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            await _runs.AdvanceAsync(default);
        }

        Assert.Equal([More], _hook.Orders);
        Assert.Null(_runs.Last!.End);
        ends.SetResult(new HookEnd(HookOutcome.Done, ""));
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await _runs.AdvanceAsync(default);
            return !_runs.IsBusy;
        }));
        Assert.Equal([More, Less], _hook.Orders);
        Assert.Equal(1, _hook.MostAtOnce);
    }

    [Fact]
    public async Task What_fails_is_told_and_tried_again_after_pauses_that_grow_until_it_is_done()
    {
        _hook.Ends = (number, _) => Task.FromResult(number < 3 ? new HookEnd(HookOutcome.Failed, "exit code 1: no") : new HookEnd(HookOutcome.Done, "yes"));
        var (began, tries) = (_time.GetUtcNow(), new List<TimeSpan>());
        _runs.Owe(More);
        for (var seconds = 0; seconds < 300 && _runs.IsBusy; seconds++)
        {
            var before = _hook.Orders.Count;
            await _runs.AdvanceAsync(default);
            await _runs.AdvanceAsync(default);
            if (_hook.Orders.Count > before)
            {
                tries.Add(_time.GetUtcNow() - began);
            }

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
    public async Task What_was_called_for_is_called_for_no_more_when_it_is_there_by_itself()
    {
        _hook.Ends = static (_, _) => Task.FromResult(new HookEnd(HookOutcome.TimedOut, ""));
        _runs.Owe(More);
        await _runs.AdvanceAsync(default);
        await _runs.AdvanceAsync(default);
        _runs.DropIfThere(1);
        Assert.True(_runs.IsBusy);
        _runs.DropIfThere(2);

        Assert.False(_runs.IsBusy);
        _runs.Owe(Less);
        _runs.DropIfThere(2);
        Assert.True(_runs.IsBusy);
    }

    [Fact]
    public async Task A_broker_that_does_not_go_though_the_command_says_so_is_awaited_for_a_while()
    {
        _runs.Owe(Less);
        Assert.True(_runs.Awaits(new NodeId(7)));
        Assert.False(_runs.WasTold(new NodeId(7)));
        await _runs.AdvanceAsync(default);
        await _runs.AdvanceAsync(default);

        Assert.True(_runs.Awaits(new NodeId(7)));
        Assert.True(_runs.WasTold(new NodeId(7)));
        _time.Advance(ScaleRules.Default.Patience);
        Assert.False(_runs.Awaits(new NodeId(7)));
    }
}
