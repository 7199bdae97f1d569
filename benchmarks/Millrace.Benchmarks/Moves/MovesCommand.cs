using System.CommandLine;
using Millrace.Benchmarks.Failover;
using Millrace.Benchmarks.SideBySide;

namespace Millrace.Benchmarks.Moves;

/// <summary>
/// <c>./bench moves</c>: all partitions of a topic go from broker to broker under load; how long each stops, by its old leader's clock, and how long an
/// ordinary client gets no acknowledgement from one.
/// </summary>
internal static class MovesCommand
{
    private const string Librdkafka = "librdkafka";

    public static Command Create()
    {
        var brokers = new Option<int>("--brokers") { Description = "How many.", DefaultValueFactory = _ => 3 };
        var partitions = new Option<int>("--partitions") { Description = "Of the topic; all move together.", DefaultValueFactory = _ => 1 };
        var moves = new Option<int>("--moves")
        {
            Description = "How often, after the first from each broker, which count by themselves.",
            DefaultValueFactory = _ => 200,
        };
        var load = new Option<double>("--load") { Description = "Megabytes per second to the topic.", DefaultValueFactory = _ => 20 };
        var record = new Option<int>("--record") { Description = "Bytes of a record.", DefaultValueFactory = _ => 1_000 };
        var pause = new Option<double>("--pause") { Description = "Seconds between two moves.", DefaultValueFactory = _ => 0.3 };
        var backoff = new Option<double?>("--retry-backoff")
        {
            Description = "Milliseconds before the client sends again what was refused; otherwise its own default, 100.",
        };
        var client = new Option<string>("--client")
        {
            Description = "Who writes: java is Kafka's own producer; python (kafka-python) is not idempotent, and has one request under way at a time.",
            DefaultValueFactory = _ => Librdkafka,
        };
        client.AcceptOnlyFromAmong([Librdkafka, .. OtherClient.All.Select(other => other.Name)]);
        var settings = new Option<string[]>("--set") { Description = "A setting of each broker, KEY=VALUE; may be given several times." };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var kafka = new Option<bool>("--kafka")
        {
            Description = "Apache Kafka, where it is at hand beside the checkout: three brokers, each partition on all, by elections of preferred leaders.",
        };
        var command = new Command("moves", "Partitions go from broker to broker under load: how long each stops, and what a client sees of it.")
        {
            brokers, partitions, moves, load, record, pause, backoff, client, settings, store, kafka,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(kafka) && !KafkaUnderTest.IsAtHand)
            {
                result.AddError("Apache Kafka is not at hand beside this checkout.");
            }

            if (Find(result.GetValue(client)) is { IsAtHand: false } missing)
            {
                result.AddError($"The {missing.Name} client needs {missing.Needs}.");
            }
        });
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            var bytes = parsed.GetValue(record);
            var writing = new WriterOptions(
                parsed.GetValue(load) * 1_000_000 / bytes,
                RecordBytes: bytes,
                RetryBackoff: parsed.GetValue(backoff) is { } wait ? TimeSpan.FromMilliseconds(wait) : null);
            Task MeasureAsync(IMovingCluster cluster) => new MovesRun(
                cluster,
                parsed.GetValue(partitions),
                parsed.GetValue(moves),
                TimeSpan.FromSeconds(parsed.GetValue(pause)),
                writing,
                Find(parsed.GetValue(client))).MeasureAsync();
            if (parsed.GetValue(kafka))
            {
                using var cluster = new KafkaCluster(folder.Path);
                await MeasureAsync(cluster);
            }
            else
            {
                using var cluster = new ClusterUnderTest(
                    folder.Path,
                    parsed.GetValue(store) ?? $"file://{folder.Path}/store",
                    parsed.GetValue(brokers),
                    settings: [ClusterUnderTest.Unbalanced, .. parsed.GetValue(settings) ?? []]);
                await MeasureAsync(cluster);
            }
        });
        return command;
    }

    private static OtherClient? Find(string? name) => OtherClient.All.FirstOrDefault(other => other.Name == name);
}
