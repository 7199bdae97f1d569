using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Millrace.Controller.Scaling;
using Millrace.Runtime;

namespace Millrace.Server.Scaling;

/// <summary>
/// The scaler's command as a process: a shell's line, with the order in its environment. What it leaves running when it has ended is its own; what runs when
/// its time is up is killed with it.
/// </summary>
/// <remarks>One run at a time, also where one cannot be killed: then none begins before it has ended. Threading: any thread.</remarks>
/// <param name="runtime">Whose time counts.</param>
/// <param name="command">A line for the shell.</param>
/// <param name="limit">How long it may take.</param>
internal sealed class CommandHook(NodeRuntime runtime, string command, TimeSpan limit) : IScalerHook
{
    public const string Current = "MILLRACE_SCALER_CURRENT";
    public const string Desired = "MILLRACE_SCALER_DESIRED";
    public const string Victim = "MILLRACE_SCALER_VICTIM";
    public const string VictimName = "MILLRACE_SCALER_VICTIM_NAME";

    // What it has started may hold its outputs open for as long as it runs: they are read for no longer after its end.
    private static readonly TimeSpan LastWordsGrace = TimeSpan.FromSeconds(1);

    // Who is killed has ended at once, unless the system waits for a disk in its name, or it is another user's by now.
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private bool _runs;
    private Process? _survivor;

    /// <summary>Kills a process with all that it has started; tests have it fail.</summary>
    internal Action<Process> Kill { get; init; } = static process => process.Kill(entireProcessTree: true);

    public async Task<HookEnd> RunAsync(ScaleOrder order, CancellationToken token)
    {
        if (Enter() is { } reason)
        {
            return new HookEnd(HookOutcome.NotStarted, reason);
        }

        Process? process = null;
        try
        {
            process = Process.Start(Line(order))!;
            return await EndAsync(process, token);
        }
        catch (Exception failure) when (process is null && failure is Win32Exception or IOException)
        {
            return new HookEnd(HookOutcome.NotStarted, failure.Message);
        }
        finally
        {
            Leave(process);
        }
    }

    private async Task<HookEnd> EndAsync(Process process, CancellationToken token)
    {
        process.StandardInput.Close();
        var words = new LastWords();
        var reading = Task.WhenAll(words.ReadAsync(process.StandardOutput), words.ReadAsync(process.StandardError));
        var isDone = await EndsInTimeAsync(process, token);
        var unkilled = isDone ? null : await KillAsync(process);
        using var settled = new CancellationTokenSource();
        await Waiting.Either(reading, Task.Delay(LastWordsGrace, runtime.Time, settled.Token));
        settled.Cancel();
        if (!isDone)
        {
            token.ThrowIfCancellationRequested();
            return new HookEnd(HookOutcome.TimedOut, unkilled is null ? words.ToString() : $"{unkilled}{words.After(": ")}");
        }

        return process.ExitCode == 0
            ? new HookEnd(HookOutcome.Done, words.ToString())
            : new HookEnd(HookOutcome.Failed, $"exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}{words.After(": ")}");
    }

    private ProcessStartInfo Line(ScaleOrder order)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment[Current] = order.Current.ToString(CultureInfo.InvariantCulture);
        start.Environment[Desired] = order.Desired.ToString(CultureInfo.InvariantCulture);
        start.Environment[Victim] = order.Victim?.ToString() ?? "";
        start.Environment[VictimName] = order.VictimName ?? "";
        return start;
    }

    /// <returns>False where its time is up, or the token was cancelled.</returns>
    private async Task<bool> EndsInTimeAsync(Process process, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(limit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            await process.WaitForExitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <returns>What is left of it; null where it is gone with all that it has started.</returns>
    private async Task<string?> KillAsync(Process process)
    {
        string? failure = null;
        try
        {
            Kill(process);
        }
        catch (Exception refused) when (refused is Win32Exception or AggregateException or InvalidOperationException or NotSupportedException)
        {
            failure = refused.Message;
        }

        using var patience = new CancellationTokenSource(KillGrace, runtime.Time);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return failure is null ? null : $"not all that it has started could be killed ({failure})";
        }
        catch (OperationCanceledException)
        {
            return $"process {process.Id} could not be killed{(failure is null ? "" : $" ({failure})")}, and none is begun before it has ended";
        }
    }

    /// <returns>Why no run may begin.</returns>
    private string? Enter()
    {
        lock (_lock)
        {
            if (_survivor is { HasExited: false } survivor)
            {
                return $"process {survivor.Id} of a former run still runs, which could not be killed";
            }

            if (_runs)
            {
                return "a former run has not ended";
            }

            _survivor?.Dispose();
            _survivor = null;
            _runs = true;
            return null;
        }
    }

    private void Leave(Process? process)
    {
        lock (_lock)
        {
            _runs = false;
            if (process is { HasExited: false })
            {
                _survivor = process;
            }
            else
            {
                process?.Dispose();
            }
        }
    }
}
