namespace Millrace.Tests.Clients;

/// <summary>
/// How Java machines of Kafka's tools are started: they end before what a second compiler makes of them would pay, and most of the rest of their time goes into
/// loading classes, which the first tool of all puts down for those after it.
/// </summary>
/// <remarks>The file outlives a run of the tests: a machine that has other classes than it holds does without.</remarks>
internal static class JavaOptions
{
    private const string Quick = "-XX:TieredStopAtLevel=1 -Xlog:disable";
    private static readonly string Archive = Path.Combine(Repository.Root, "artifacts", "kafka-tools.jsa");
    private static readonly string Unfinished = $"{Archive}.{Environment.ProcessId}";
    private static int _begun;

    /// <summary>For a program that is no tool of Kafka's, or may start one by itself.</summary>
    public static string Default => File.Exists(Archive) ? $"{Quick} -XX:SharedArchiveFile={Archive}" : Quick;

    /// <summary>For one of Kafka's tools.</summary>
    /// <param name="puts">When it has ended well, <see cref="Keep"/> is to follow.</param>
    public static string OfTool(out bool puts)
    {
        puts = !File.Exists(Archive) && Interlocked.Exchange(ref _begun, 1) == 0;
        return puts ? $"{Quick} -XX:ArchiveClassesAtExit={Unfinished}" : Default;
    }

    /// <summary>What the tool has put down is there for others from now on.</summary>
    public static void Keep()
    {
        // A machine that cannot write it says nothing of that.
        if (File.Exists(Unfinished))
        {
            File.Move(Unfinished, Archive, overwrite: true);
        }
    }
}
