using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Millrace.Controller.Scaling;
using Millrace.Runtime.Ids;
using Millrace.Server.Scaling;
using Xunit;

namespace Millrace.Tests.Server.Scaling;

public sealed class CommandHookTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly ScaleOrder Order = new(3, 2, new NodeId(7), "seven");

    private readonly RealNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task The_order_is_in_the_environment()
    {
        var command = $"echo $MILLRACE_SCALER_CURRENT $MILLRACE_SCALER_DESIRED $MILLRACE_SCALER_VICTIM $MILLRACE_SCALER_VICTIM_NAME > {_node.Folder}/told";

        Assert.Equal(HookOutcome.Done, (await RunAsync(command, Long, Order)).Outcome);
        Assert.Equal("3 2 7 seven\n", await File.ReadAllTextAsync($"{_node.Folder}/told", TestContext.Current.CancellationToken));

        Assert.Equal(HookOutcome.Done, (await RunAsync($"echo [$MILLRACE_SCALER_VICTIM] > {_node.Folder}/told", Long, new(1, 2, null, null))).Outcome);
        Assert.Equal("[]\n", await File.ReadAllTextAsync($"{_node.Folder}/told", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task One_that_fails_is_told_with_the_last_that_it_said()
    {
        var end = await RunAsync("printf '%0600d' 0; echo; echo no machine >&2; exit 3", Long, Order);

        Assert.Equal(HookOutcome.Failed, end.Outcome);
        Assert.StartsWith("exit code 3: ", end.Words, StringComparison.Ordinal);
        Assert.Contains("no machine", end.Words, StringComparison.Ordinal);
        Assert.InRange(end.Words.Length, 1, 600);

        end = await RunAsync("/no/such/program", Long, Order);
        Assert.StartsWith("exit code 127: ", end.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_takes_too_long_is_killed_with_all_that_it_has_started()
    {
        var began = Stopwatch.StartNew();
        var end = await RunAsync($"echo slowly; sh -c 'echo $$ > {_node.Folder}/pid; exec sleep 300'; true", TimeSpan.FromSeconds(1), Order);

        Assert.Equal(new HookEnd(HookOutcome.TimedOut, "slowly"), end);
        Assert.InRange(began.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(30));
        await AssertGoneAsync();
    }

    [Fact]
    public async Task One_whose_controller_is_none_any_more_is_killed_too()
    {
        using var stopping = new CancellationTokenSource();
        var run = new CommandHook(_node.Runtime, $"sh -c 'echo $$ > {_node.Folder}/pid; exec sleep 300'; true", Long).RunAsync(Order, stopping.Token);
        Assert.True(await Eventually.BecomesTrueAsync(() => File.Exists($"{_node.Folder}/pid") && new FileInfo($"{_node.Folder}/pid").Length > 0));
        var began = Stopwatch.StartNew();
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        await AssertGoneAsync();
    }

    [Fact]
    public async Task What_it_leaves_running_is_left_alone_and_not_waited_for()
    {
        var began = Stopwatch.StartNew();
        var end = await RunAsync($"sleep 300 & echo $! > {_node.Folder}/pid; echo begun", Long, Order);

        Assert.Equal(new HookEnd(HookOutcome.Done, "begun"), end);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        using var left = Process.GetProcessById(await PidAsync());
        Assert.False(left.HasExited);
        left.Kill();
    }

    [Fact]
    public async Task One_that_cannot_be_killed_is_told_and_nothing_else_is_begun_before_it_has_ended()
    {
        var command = $"echo $MILLRACE_SCALER_DESIRED >> {_node.Folder}/told; echo $$ > {_node.Folder}/pid; "
            + "[ $MILLRACE_SCALER_DESIRED = 2 ] && exec sleep 300; true";
        var hook = new CommandHook(_node.Runtime, command, TimeSpan.FromSeconds(1)) { Kill = static _ => throw new Win32Exception(1) };
        var began = Stopwatch.StartNew();
        var end = await hook.RunAsync(Order, TestContext.Current.CancellationToken);

        Assert.Equal(HookOutcome.TimedOut, end.Outcome);
        Assert.Contains("could not be killed (Operation not permitted)", end.Words, StringComparison.Ordinal);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));

        end = await hook.RunAsync(Order with { Desired = 3 }, TestContext.Current.CancellationToken);
        Assert.Equal(HookOutcome.NotStarted, end.Outcome);
        Assert.Contains((await PidAsync()).ToString(CultureInfo.InvariantCulture), end.Words, StringComparison.Ordinal);

        using (var left = Process.GetProcessById(await PidAsync()))
        {
            left.Kill();
        }

        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            await hook.RunAsync(Order with { Desired = 3 }, TestContext.Current.CancellationToken) is { Outcome: HookOutcome.Done }));
        Assert.Equal(["2", "3"], await File.ReadAllLinesAsync($"{_node.Folder}/told", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task One_of_which_only_a_part_could_be_killed_says_so()
    {
        var hook = new CommandHook(_node.Runtime, "exec sleep 300", TimeSpan.FromSeconds(1))
        {
            Kill = static process =>
            {
                process.Kill();
                throw new AggregateException(new Win32Exception(1));
            },
        };

        var end = await hook.RunAsync(Order, TestContext.Current.CancellationToken);
        Assert.Equal(HookOutcome.TimedOut, end.Outcome);
        Assert.StartsWith("not all that it has started could be killed", end.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_cannot_be_killed_does_not_keep_its_controller_from_ending()
    {
        using var stopping = new CancellationTokenSource();
        var hook = new CommandHook(_node.Runtime, $"echo $$ > {_node.Folder}/pid; exec sleep 300", Long) { Kill = static _ => throw new Win32Exception(1) };
        var run = hook.RunAsync(Order, stopping.Token);
        Assert.True(await Eventually.BecomesTrueAsync(() => File.Exists($"{_node.Folder}/pid") && new FileInfo($"{_node.Folder}/pid").Length > 0));
        Assert.Equal(HookOutcome.NotStarted, (await hook.RunAsync(Order, default)).Outcome);
        var began = Stopwatch.StartNew();
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        using var left = Process.GetProcessById(await PidAsync());
        left.Kill();
    }

    private Task<HookEnd> RunAsync(string command, TimeSpan limit, ScaleOrder order) =>
        new CommandHook(_node.Runtime, command, limit).RunAsync(order, TestContext.Current.CancellationToken);

    private async Task<int> PidAsync() =>
        int.Parse(await File.ReadAllTextAsync($"{_node.Folder}/pid", TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);

    // Who is killed may be waited for by nobody: then it is a zombie, without a program.
    private async Task AssertGoneAsync()
    {
        var pid = await PidAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() =>
            !File.Exists($"/proc/{pid}/cmdline") || File.ReadAllText($"/proc/{pid}/cmdline").Length == 0));
    }
}
