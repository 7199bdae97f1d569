using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Apache Kafka, where it is at hand beside the checkout.</summary>
internal sealed class KafkaUnderTest : BrokerUnderTest
{
    private const int Attempts = 3;
    private readonly string _directory;

    /// <param name="name">For people.</param>
    /// <param name="directory">For all that it writes.</param>
    /// <param name="properties">Beside the usual ones, for the port that it gets.</param>
    public KafkaUnderTest(string name, string directory, Func<int, IEnumerable<string>> properties)
        : base(name)
    {
        _directory = directory;
        for (var attempt = 1; ; attempt++)
        {
            // Kafka takes no port of the system's choosing, and somebody may have taken this one before it.
            var port = FreePort();
            try
            {
                var ready = ProgramRun.Run(Script, ["start", "--dir", directory, "--port", $"{port}", .. properties(port)]);
                BootstrapServers = $"127.0.0.1:{port}";
                ProcessId = int.Parse(ready.Trim().Split(' ')[^1], CultureInfo.InvariantCulture);
                return;
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                Directory.Delete(directory, recursive: true);
                Directory.CreateDirectory(directory);
            }
        }
    }

    /// <summary>Where its controller listens, if it is one.</summary>
    public int ControllerPort => int.Parse(BootstrapServers.Split(':')[^1], CultureInfo.InvariantCulture) + 1;

    public static bool IsAtHand => File.Exists(Script);

    /// <summary>Where its script and its libraries are.</summary>
    public static string Folder => Path.GetFullPath(Path.Combine(Checkout.Root, "..", "shared", "peers", "kafka"));

    private static string Script => Path.Combine(Folder, "kafka.sh");

    public override void Dispose() => ProgramRun.Run(Script, "stop", "--dir", _directory);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
