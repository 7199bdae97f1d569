using System.Text;
using Confluent.Kafka;
using Millrace.Tests.Acceptance;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Each client makes a topic at one broker of a cluster, writes to it at another at once, reads it at the third: by each of them in turn.</summary>
public sealed class ThroughAnyBrokerTests(SharedCluster cluster) : IClassFixture<SharedCluster>
{
    private const int Records = 20;
    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string? JavaTools = Repository.Shared("peers/kafka/kafka.sh");
    private static readonly string[] Values = [.. Enumerable.Range(0, Records).Select(i => $"value-{i:D2}")];

    public static TheoryData<int> Turns { get; } = [0, 1, 2];

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task Confluents_client(int turn)
    {
        var topic = $"confluent-{turn}";
        await TestTopic.CreateAsync(MadeAt(turn), topic, partitions: 3);
        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = WrittenAt(turn), EnableIdempotence = true }).Build())
        {
            await Task.WhenAll(Values.Select((value, i) =>
                producer.ProduceAsync(new TopicPartition(topic, i % 3), new Message<Null, byte[]> { Value = Encoding.UTF8.GetBytes(value) })));
        }

        using var consumer = new ConsumerBuilder<Ignore, byte[]>(
            new ConsumerConfig { BootstrapServers = ReadAt(turn), GroupId = topic, AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Subscribe(topic);
        var read = Values.Select(_ => Encoding.UTF8.GetString((consumer.Consume(Limit) ?? throw new TimeoutException("No record came")).Message.Value));
        Assert.Equal(Values, read.ToList().Order());
        consumer.Close();
    }

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task Kcat(int turn)
    {
        Assert.SkipUnless(Tool.IsInstalled("kcat"), "kcat is not installed: run .ci/run, or apt-get install kcat");
        var topic = $"kcat-{turn}";
        // It has no command for making topics: asking for one is its way.
        await Tool.RunAsync("kcat", ["-b", MadeAt(turn), "-L", "-t", topic, "-X", "allow.auto.create.topics=true"]);
        await Tool.RunAsync("kcat", ["-b", WrittenAt(turn), "-P", "-t", topic], string.Join('\n', Values) + "\n");
        AssertRead(await Tool.RunAsync("kcat", ["-b", ReadAt(turn), "-C", "-t", topic, "-o", "beginning", "-e", "-q"]));
    }

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task Kafkajs(int turn) => AssertRead(await KafkaJsTests.RunAsync("any_broker.js", [.. Places(turn), $"kafkajs-{turn}", .. Values]));

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task Python_client(int turn)
    {
        await KafkaPythonTests.SkipUnlessInstalledAsync();
        var script = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Clients", "scripts", "kafka_python_any_broker.py");
        AssertRead(await Tool.RunAsync(Python, [script, .. Places(turn), $"kafka-python-{turn}", .. Values]));
    }

    [Fact]
    public async Task Javas_tools()
    {
        // One turn: each of them is a start of Java.
        const int Turn = 1;
        Assert.SkipWhen(JavaTools is null || !Tool.IsInstalled("java"), "Apache Kafka's tools, or Java, are not at hand");
        var topic = $"java-{Turn}";
        await JavaAsync(MadeAt(Turn), "", "topics", "--create", "--topic", topic, "--partitions", "3");
        await JavaAsync(WrittenAt(Turn), string.Join('\n', Values) + "\n", "console-producer", "--topic", topic);
        AssertRead(await JavaAsync(
            ReadAt(Turn), "", "console-consumer", "--topic", topic, "--group", topic, "--from-beginning",
            "--max-messages", $"{Records}", "--timeout-ms", "60000"));
    }

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task Our_own_commands(int turn)
    {
        var topic = $"own-{turn}";
        await new Shell(MadeAt(turn)).RunAsync($"topic create {topic} -p 3");
        await new Shell(WrittenAt(turn)).RunAsync($"produce {topic}", string.Join('\n', Values) + "\n");
        AssertRead((await new Shell(ReadAt(turn)).RunAsync($"consume {topic} --group {topic} --exit")).Output);
    }

    private static void AssertRead(string lines) => Assert.Equal(Values, lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());

    private static Task<string> JavaAsync(string broker, string input, string tool, params string[] arguments) =>
        Tool.RunAsync(JavaTools!, [tool, "--bootstrap-server", broker, .. arguments], input, TimeSpan.FromMinutes(2));

    private string[] Places(int turn) => [MadeAt(turn), WrittenAt(turn), ReadAt(turn)];

    private string MadeAt(int turn) => cluster.Addresses[turn];

    private string WrittenAt(int turn) => cluster.Addresses[(turn + 1) % cluster.Addresses.Count];

    private string ReadAt(int turn) => cluster.Addresses[(turn + 2) % cluster.Addresses.Count];
}
