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

    public async Task<HookEnd> RunAsync(ScaleOrder order, CancellationToken token)
    {
        Process process;
        try
        {
            process = Process.Start(Line(order))!;
        }
        catch (Exception failure) when (failure is Win32Exception or IOException)
        {
            return new HookEnd(HookOutcome.NotStarted, failure.Message);
        }

        using (process)
        {
            process.StandardInput.Close();
            var words = new LastWords();
            var reading = Task.WhenAll(words.ReadAsync(process.StandardOutput), words.ReadAsync(process.StandardError));
            var isDone = await EndsInTimeAsync(process, token);
            using var settled = new CancellationTokenSource();
            await Waiting.Either(reading, Task.Delay(LastWordsGrace, runtime.Time, settled.Token));
            settled.Cancel();
            return !isDone ? new HookEnd(HookOutcome.TimedOut, words.ToString())
                : process.ExitCode == 0 ? new HookEnd(HookOutcome.Done, words.ToString())
                : new HookEnd(HookOutcome.Failed, $"exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}{words.After(": ")}");
        }
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

    /// <returns>False where it was killed since its time was up.</returns>
    /// <exception cref="OperationCanceledException">It was killed since the token was cancelled.</exception>
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
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            token.ThrowIfCancellationRequested();
            return false;
        }
    }
}
