namespace Millrace.Server.Cli;

/// <summary>What the program tells a script. Part of the command line's contract: numbers never change.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command was understood and could not be carried out.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>What the command is about does not exist.</summary>
    public const int NotFound = 3;

    /// <summary>What the command should create exists already.</summary>
    public const int AlreadyExists = 4;

    /// <summary>No broker, or no store, answered in time.</summary>
    public const int Unreachable = 5;

    /// <summary>A check found damage.</summary>
    public const int Damaged = 6;
}
