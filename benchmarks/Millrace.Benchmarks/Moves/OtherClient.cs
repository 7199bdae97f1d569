using System.ComponentModel;
using Millrace.Benchmarks.Failover;
using Millrace.Benchmarks.SideBySide;

namespace Millrace.Benchmarks.Moves;

/// <summary>A Kafka client of another make, whose producer is a program of <c>clients/</c>.</summary>
/// <param name="Name">On the command line, and for people.</param>
/// <param name="Needs">What to install, where it is not at hand.</param>
/// <param name="Program">Runs what the arguments name.</param>
/// <param name="Arguments">Before those that each of the producers takes.</param>
internal sealed record OtherClient(string Name, string Needs, string Program, params IEnumerable<string> Arguments)
{
    // Debian's interpreter: only it sees Debian's package.
    private const string Python = "/usr/bin/python3";

    public static IReadOnlyList<OtherClient> All { get; } =
    [
        new(
            "java",
            "Apache Kafka beside this checkout and a JDK of 17 or newer, such as Debian's openjdk-17-jdk-headless",
            "java",
            "-Dlevel=error",
            $"-Dlog4j2.configurationFile={Path.Combine(KafkaUnderTest.Folder, "log4j2.properties")}",
            "-cp",
            Path.Combine(KafkaUnderTest.Folder, "libs", "*"),
            Source("SteadyProducer.java")),
        new("python", "Debian's python3-kafka", Python, Source("steady_producer.py")),
    ];

    public bool IsAtHand
    {
        get
        {
            try
            {
                return Program == Python
                    ? ProgramRun.Run(Python, "-c", "import kafka").Length == 0
                    : KafkaUnderTest.IsAtHand && ProgramRun.Run(Program, "--list-modules").Contains("jdk.compiler@", StringComparison.Ordinal);
            }
            catch (Exception missing) when (missing is InvalidOperationException or Win32Exception)
            {
                return false;
            }
        }
    }

    /// <summary>What it is to be told to write so.</summary>
    public IEnumerable<string> ArgumentsFor(string bootstrapServers, string topic, int partitions, WriterOptions writing) =>
    [
        .. Arguments, bootstrapServers, topic, $"{partitions}", FormattableString.Invariant($"{writing.RecordsPerSecond}"), $"{writing.RecordBytes}",
        .. writing.RetryBackoff is { } backoff ? [$"{(int)backoff.TotalMilliseconds}"] : Array.Empty<string>(),
    ];

    private static string Source(string file) => Path.Combine(Checkout.Root, "benchmarks", "Millrace.Benchmarks", "Moves", "clients", file);
}
