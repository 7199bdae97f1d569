namespace Millrace.Controller.Scaling;

/// <summary>How a run of the command has ended. Numbers are told to clients.</summary>
public enum HookOutcome : byte
{
    /// <summary>It says that it has done what it was told.</summary>
    Done = 0,

    /// <summary>It ended with another exit code than 0, or by a signal.</summary>
    Failed = 1,

    /// <summary>It took too long and was killed.</summary>
    TimedOut = 2,

    /// <summary>It could not be started.</summary>
    NotStarted = 3,
}
