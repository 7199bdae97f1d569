using System.CommandLine;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>
/// A table that is shown anew every few seconds, until somebody who looks at a terminal has seen enough. Once, where nobody does: in a pipe, as JSON, or with
/// <c>--once</c>.
/// </summary>
internal sealed class LiveTable
{
    private const int MaxSeconds = 3_600;

    private readonly Option<bool> _once = new("--once") { Description = "Show it once, and end" };

    private readonly Option<double> _interval = new("--interval")
    {
        Description = "Seconds until it is shown again",
        DefaultValueFactory = _ => 5,
        HelpName = "SECONDS",
    };

    /// <param name="command">Gets the options.</param>
    public LiveTable(Command command)
    {
        command.Options.Add(_once);
        command.Options.Add(_interval);
    }

    /// <param name="result">The command line.</param>
    /// <param name="json">As objects.</param>
    /// <param name="look">Gives the table, and what it lacks.</param>
    /// <param name="token">Cancelled when somebody has seen enough.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="CommandFailedException">Shown once, it lacks something; or the interval is none.</exception>
    public async Task<int> ShowAsync(
        ParseResult result, bool json, Func<CancellationToken, Task<(Report Table, string? Lacks)>> look, CancellationToken token)
    {
        var interval = result.GetValue(_interval) is > 0 and <= MaxSeconds and var seconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new CommandFailedException(ExitCode.Usage, $"--interval takes a number of seconds above 0, {MaxSeconds} at most.");
        var (table, lacks) = await look(token);
        if (json || Console.IsOutputRedirected || result.GetValue(_once))
        {
            table.Write(json);
            return lacks is null ? ExitCode.Success : throw new CommandFailedException(ExitCode.Failed, lacks);
        }

        try
        {
            while (true)
            {
                Show(table, lacks);
                await Task.Delay(interval, CommandClock.Time, token);
                (table, lacks) = await LookAgainAsync(table, look, token);
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return ExitCode.Success;
        }
    }

    /// <summary>Brokers come and go while somebody looks: what was known last stays, and why.</summary>
    private static async Task<(Report Table, string? Lacks)> LookAgainAsync(
        Report last, Func<CancellationToken, Task<(Report Table, string? Lacks)>> look, CancellationToken token)
    {
        try
        {
            return await look(token);
        }
        catch (KafkaException failure)
        {
            return (last, $"This is not new: {failure.Error.Reason}.");
        }
    }

    private static void Show(Report table, string? lacks)
    {
        Console.Out.Write(Terminal.Clear);
        table.Write(json: false);
        if (lacks is not null)
        {
            Messages.Note(json: false, lacks);
        }
    }
}
