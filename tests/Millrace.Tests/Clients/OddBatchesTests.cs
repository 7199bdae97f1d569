using System.Net;
using System.Text;
using Confluent.Kafka;
using Xunit;
using ErrorCode = Millrace.Protocol.ErrorCode;

namespace Millrace.Tests.Clients;

/// <summary>
/// What clients in the field read of batches that no usual encoder writes: everything, but for the cases named here, which
/// <c>docs/compatibility.md</c> lists. Kafka takes them too, so its users' clients read the same of them.
/// </summary>
[Collection(ClientTestGroup.Name)]
public sealed class OddBatchesTests(SharedBroker broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // Debian's interpreter: only it sees Debian's package.
    private const string Python = "/usr/bin/python3";
    private static readonly SemaphoreSlim Producing = new(1);
    private static bool _isProduced;

    private static readonly IReadOnlyDictionary<string, string> Whole =
        OddBatches.All.Keys.ToDictionary(name => name, name => name == "zstd-skippable-before-much" ? "a b large after" : "a b c after");

    [Fact]
    public async Task Librdkafka_reads_them()
    {
        await ProduceAsync();

        // It reads the first member alone: what follows is lost to it, and where a record is cut by the member's end it stands still.
        Check(ReadWithLibrdkafka(standingStill: 1), new() { ["gzip-member-a-record"] = "a after", ["gzip-two-members"] = "a …" });
    }

    [Fact]
    public async Task Kafka_python_reads_them()
    {
        Assert.SkipUnless(
            File.Exists(Python) && (await Tool.TryRunAsync(Python, ["-c", "import kafka, lz4, snappy, zstandard"])).ExitCode == 0,
            "python3-kafka, python3-lz4, python3-snappy or python3-zstandard is not installed");
        await ProduceAsync();
        var script = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Clients", "scripts", "kafka_python_odd.py");
        var lines = await Tool.RunAsync(Python, [script, broker.BootstrapServers, .. Whole.Keys.Select(Topic)], limit: TimeSpan.FromMinutes(3));
        Check(
            lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(
                parts => parts[0]["odd-".Length..], parts => string.Join(' ', parts[1..].Select(Letter))),
            new[]
            {
                "zstd-two-frames", "zstd-frame-a-record", "zstd-empty-frame-first", "zstd-skippable-first", "zstd-skippable-between",
                "zstd-skippable-before-much",
                "header-key-no-utf8",
            }.ToDictionary(name => name, _ => "CorruptRecordException"));
    }

    [Fact]
    public async Task Java_reads_them()
    {
        var script = Repository.Shared("peers/kafka/kafka.sh");
        Assert.SkipWhen(script is null || !Tool.IsInstalled("java"), "Apache Kafka, or Java, is not at hand");
        await ProduceAsync();
        var count = Whole.Count * 4;
        var lines = await Tool.RunAsync(
            script!,
            [
                "console-consumer", "--bootstrap-server", broker.BootstrapServers, "--include", "odd-.*", "--from-beginning",
                "--max-messages", $"{count}", "--timeout-ms", "20000",
            ],
            limit: TimeSpan.FromMinutes(2));
        Check(
            lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).GroupBy(line => line.Split(':')[0]).ToDictionary(
                group => group.Key, group => string.Join(' ', group.Select(Letter))),
            []);
    }

    private void Check(Dictionary<string, string> read, Dictionary<string, string> otherwise)
    {
        var differences = Whole.Keys.Where(name => read.GetValueOrDefault(name) != otherwise.GetValueOrDefault(name, Whole[name]))
            .Select(name => $"{name}: {read.GetValueOrDefault(name)}").ToList();
        output.WriteLine(string.Join('\n', read.Where(pair => pair.Value != Whole[pair.Key])));
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static string Topic(string name) => "odd-" + name;

    /// <summary>The last part of a value, or what stands for a large one.</summary>
    private static string Letter(string value) => value[(value.IndexOf(':', StringComparison.Ordinal) + 1)..] is { Length: < 100 } letter ? letter : "large";

    /// <summary>Once for all tests of this class: each case to a topic of its own, and an ordinary batch behind it.</summary>
    private async Task ProduceAsync()
    {
        await Producing.WaitAsync();
        try
        {
            if (_isProduced)
            {
                return;
            }

            var ask = new AnswersBesideKafka.Ask(IPEndPoint.Parse(broker.BootstrapServers));
            foreach (var (name, batch) in OddBatches.All)
            {
                await ask.CreateTopicAsync(Topic(name));
                foreach (var each in new[] { batch, OddBatches.Following(name) })
                {
                    Assert.Equal((name, ErrorCode.None), (name, await ask.ProduceAsync(Topic(name), each)));
                }
            }

            _isProduced = true;
        }
        finally
        {
            Producing.Release();
        }
    }

    /// <summary>Reads all topics side by side; done when all ended but some, which stand still without a word.</summary>
    private Dictionary<string, string> ReadWithLibrdkafka(int standingStill)
    {
        var read = Whole.Keys.ToDictionary(Topic, _ => new List<string>());
        var open = read.Keys.ToHashSet();
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            GroupId = "unused",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            CheckCrcs = true,
        }).Build();
        consumer.Assign(open.Select(topic => new TopicPartitionOffset(topic, 0, Offset.Beginning)));
        while (open.Count > standingStill)
        {
            try
            {
                var record = consumer.Consume(Limit);
                if (record is null)
                {
                    break;
                }
                else if (record.IsPartitionEOF)
                {
                    open.Remove(record.Topic);
                }
                else
                {
                    read[record.Topic].Add(Letter(Encoding.UTF8.GetString(record.Message.Value)));
                }
            }
            catch (ConsumeException e)
            {
                read[e.ConsumerRecord.Topic].Add(e.Error.Code.ToString());
            }
        }

        return read.ToDictionary(
            pair => pair.Key["odd-".Length..],
            pair => string.Join(' ', [.. pair.Value, .. open.Contains(pair.Key) ? ["…"] : Array.Empty<string>()]));
    }
}
