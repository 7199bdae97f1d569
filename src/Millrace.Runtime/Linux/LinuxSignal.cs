namespace Millrace.Runtime.Linux;

/// <summary>What .NET does not send: it ends processes without asking them.</summary>
public static class LinuxSignal
{
    private const int Terminate = 15;

    /// <summary>Asks a process to end in good order (SIGTERM). One that is gone already is asked nothing.</summary>
    /// <param name="processId">A child of this process, which has not been waited for: its id cannot mean another one.</param>
    public static void AskToEnd(int processId) => _ = LinuxCalls.SendSignal(processId, Terminate);
}
