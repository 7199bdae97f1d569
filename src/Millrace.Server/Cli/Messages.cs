namespace Millrace.Server.Cli;

/// <summary>What a command says beside its results, on standard error.</summary>
internal static class Messages
{
    /// <summary>Why a command, or a part of it, failed.</summary>
    /// <returns>The exit code, for the command to end with.</returns>
    public static int Error(bool json, int exitCode, string message)
    {
        _ = json;
        Console.Error.WriteLine($"millrace: {message}");
        return exitCode;
    }

    /// <summary>What helps to understand a result, and is no part of it.</summary>
    public static void Note(bool json, string message)
    {
        _ = json;
        Console.Error.WriteLine($"millrace: {message}");
    }
}
