using System.CommandLine;

namespace Millrace.Server.Cli;

/// <summary><c>--timeout</c>: how long a command waits for whom it needs.</summary>
internal sealed class TimeoutOption : Option<double>
{
    private const int MaxSeconds = 86_400;

    /// <param name="description">For whom, and whether in all or at a stretch.</param>
    public TimeoutOption(string description)
        : base("--timeout")
    {
        Description = description;
        DefaultValueFactory = _ => 10;
        HelpName = "SECONDS";
    }

    /// <exception cref="CommandFailedException">It is no time to wait.</exception>
    public TimeSpan Of(ParseResult result) => result.GetValue(this) is > 0 and <= MaxSeconds and var seconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new CommandFailedException(ExitCode.Usage, $"--timeout takes a number of seconds above 0, {MaxSeconds} at most.");
}
