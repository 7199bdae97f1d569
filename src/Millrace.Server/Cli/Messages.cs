using System.Text.Json.Nodes;

namespace Millrace.Server.Cli;

/// <summary>
/// What a command says beside its results, on standard error: a line for people or, with <c>--json</c>, an object a line
/// (docs/command-line.md).
/// </summary>
internal static class Messages
{
    /// <summary>Why a command, or a part of it, failed.</summary>
    /// <returns>The exit code, for the command to end with.</returns>
    public static int Error(bool json, int exitCode, string message)
    {
        Write(json, Terminal.Error("millrace:") + " " + message, new JsonObject { ["error"] = message, ["exitCode"] = exitCode });
        return exitCode;
    }

    /// <summary>What helps to understand a result, and is no part of it.</summary>
    public static void Note(bool json, string message) => Write(json, message, new JsonObject { ["note"] = message });

    private static void Write(bool json, string line, JsonObject message) => Console.Error.WriteLine(json ? JsonLine.From(message) : line);
}
