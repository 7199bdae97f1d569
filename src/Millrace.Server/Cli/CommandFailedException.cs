namespace Millrace.Server.Cli;

/// <summary>Ends a command with a message for the user, which says what to do next, and an exit code for scripts.</summary>
internal sealed class CommandFailedException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode => exitCode;
}
