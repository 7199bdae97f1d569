namespace Millrace.Server.Cli;

/// <summary>The time by which client commands wait: the machine's. No simulator runs them.</summary>
internal static class CommandClock
{
#pragma warning disable RS0030 // A command is its own composition root.
    public static TimeProvider Time { get; } = TimeProvider.System;
#pragma warning restore RS0030
}
