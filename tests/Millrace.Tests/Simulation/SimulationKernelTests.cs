using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Simulation;

public sealed class SimulationKernelTests : IDisposable
{
    private readonly SimulationKernel _kernel = new(seed: 1);

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void Forty_days_pass_in_no_time()
    {
        _kernel.Run(() => _kernel.Delay(TimeSpan.FromDays(40)));
        Assert.InRange(_kernel.Now, TimeSpan.FromDays(40), TimeSpan.FromDays(40) + TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void A_killed_lane_runs_nothing_more_not_even_finally_blocks()
    {
        var lane = _kernel.NewLane("victim");
        List<string> seen = [];
        _kernel.Run(async () =>
        {
            _ = lane.Run(async () =>
            {
                try
                {
                    seen.Add("begins");
                    await Task.Delay(TimeSpan.FromSeconds(10), lane.Time);
                    seen.Add("ends");
                }
                finally
                {
                    seen.Add("cleans up");
                }
            });
            await _kernel.Delay(TimeSpan.FromSeconds(5));
            lane.Kill();
            lane.Post(() => seen.Add("haunts"));
            await _kernel.Delay(TimeSpan.FromSeconds(20));
        });
        Assert.Equal(["begins"], seen);
    }

    [Fact]
    public void A_paused_lane_goes_on_where_it_was_with_its_timers_late()
    {
        var lane = _kernel.NewLane("sleeper");
        TimeSpan? woke = null;
        _kernel.Run(async () =>
        {
            var work = lane.Run(async () =>
            {
                await Task.Delay(TimeSpan.FromSeconds(1), lane.Time);
                woke = _kernel.Now;
            });
            await _kernel.Delay(TimeSpan.FromMilliseconds(500));
            lane.Pause();
            await _kernel.Delay(TimeSpan.FromSeconds(10));
            Assert.Null(woke);
            lane.Resume();
            await work;
        });
        Assert.InRange(woke!.Value, TimeSpan.FromSeconds(10.5), TimeSpan.FromSeconds(10.6));
    }

    [Fact]
    public void Continuations_stay_on_the_lane_that_awaits()
    {
        var (first, second) = (_kernel.NewLane("first"), _kernel.NewLane("second"));
        var signal = new TaskCompletionSource();
        Lane? continued = null;
        _kernel.Run(async () =>
        {
            var waiting = first.Run(async () =>
            {
                await signal.Task;
                continued = _kernel.Running;
            });
            await _kernel.Delay(TimeSpan.FromSeconds(1));
            // Not asynchronous on purpose: even an inlined continuation may not run on the lane that completes the task.
            second.Post(signal.SetResult);
            await waiting;
        });
        Assert.Same(first, continued);
    }

    [Fact]
    public void Work_that_leaves_the_lanes_is_caught_with_its_stack()
    {
        var lane = _kernel.NewLane("victim");
        var escape = Assert.Throws<SimulationException>(() => _kernel.Run(async () =>
        {
            // What comes back from the thread pool arrives like this. Joined, so that it has happened whatever else the machine does.
            var stranger = new Thread(() => lane.Post(() => { }));
            stranger.Start();
            stranger.Join();
            await _kernel.Delay(TimeSpan.FromSeconds(1));
        }));
        Assert.Contains("left the simulator's thread", escape.Message);
        // Which frames it has depends on what the compiler has inlined by then.
        Assert.Contains("\n   at ", escape.Message);
    }

    [Fact]
    public void A_world_without_anything_left_to_do_is_a_failure()
    {
        var stuck = Assert.Throws<SimulationException>(() => _kernel.Run(() => new TaskCompletionSource().Task));
        Assert.Contains("Nothing is left to do", stuck.Message);
    }

    [Fact]
    public void What_a_callback_throws_ends_the_run() =>
        Assert.Throws<SimulationException>(() => _kernel.Run(async () =>
        {
            _kernel.World.Post(() => throw new InvalidOperationException("oops"));
            await _kernel.Delay(TimeSpan.FromSeconds(1));
        }));

    [Fact]
    public void Memory_runs_out_for_a_while_and_the_process_may_die_of_it()
    {
        var memory = new SimulatedMemory(_kernel, "machine");
        var pool = _kernel.NewBufferPool(memory);
        var died = false;
        _kernel.Run(async () =>
        {
            memory.RunOut(() => died = true);
            for (var i = 0; memory.Failures == 0; i++)
            {
                Assert.InRange(i, 0, 200);
                var held = pool.RentedBytes;
                Assert.True(TryRent() || pool.RentedBytes == held);
            }

            await _kernel.Delay(TimeSpan.FromSeconds(1));
            Assert.True(died);
            memory.Recover();
            Assert.True(TryRent());
        });

        bool TryRent()
        {
            try
            {
                pool.Rent(256 << 10).Release();
                return true;
            }
            catch (OutOfMemoryException)
            {
                return false;
            }
        }
    }
}
