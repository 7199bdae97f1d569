using System.Net;
using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// The same requests to a broker of ours and to Apache Kafka, where it is at hand: what differs is what
/// <c>docs/compatibility.md</c> lists, and nothing else.
/// </summary>
[Collection(ClientTestGroup.Name)]
public sealed class AnswersBesideKafkaTests(SharedBroker broker, SharedKafka kafka)
{
    private static readonly string[] Values =
    [
        "", " ", "-3", "-2", "-1", "0", "1", "2", "3", "4", "9", "10", "17", "18", "22", "23", "1.5", "0.5", "-0.1", "1048575", "1048576", "2147483647",
        "2147483648", "9223372036854775807", "9223372036854775808", "true", "TRUE", "yes", "none", "*", "0:1", "0:1,1:1", "x", "delete", "compact",
        "delete,compact", "compact,", "compact,compact", "producer", "gzip", "GZIP", "zstd", "CreateTime", "LogAppendTime", " 5 ", "+5", "0x10", "1e3",
        "-131073", "-131072",
    ];

    // As docs/compatibility.md lists them.
    private static readonly string[] ListedDifferences =
    [
        "alter an unknown key of all brokers", "alter retention of the offsets topic", "delete the offsets topic", "fetch of a partition named twice",
        "grow the offsets topic",
    ];

    [Fact]
    public async Task Answers_differ_from_Kafkas_only_where_that_is_listed()
    {
        var (ours, theirs) = await AskBothAsync(AnswersBesideKafka.AskAsync);

        var differences = theirs.Keys.Where(name => ours[name] != theirs[name]).ToList();
        Assert.True(
            differences.Order().SequenceEqual(ListedDifferences.Order()),
            string.Join('\n', differences.Select(name => $"{name}\n  ours:   {ours[name]}\n  theirs: {theirs[name]}")));
    }

    [Fact]
    public async Task Every_value_of_every_topic_config_is_taken_or_refused_as_by_Kafka()
    {
        var (ours, theirs) = await AskBothAsync(AskConfigsAsync);

        var differences = theirs.Keys.Where(name => ours[name] != theirs[name]).Select(name => $"{name}: ours {ours[name]}, theirs {theirs[name]}").ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static async Task<IReadOnlyDictionary<string, string>> AskConfigsAsync(AnswersBesideKafka.Ask ask)
    {
        var cases = TopicConfigs.All.SelectMany(config => Values.Select(value => (config.Name, Value: value))).ToArray();
        var answers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var chunk in cases.Chunk(400))
        {
            var response = await ask.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
                new()
                {
                    TimeoutMs = 60_000,
                    ValidateOnly = true,
                    Topics =
                    [
                        .. chunk.Select((item, index) => new CreateTopicsRequest.CreatableTopic
                        {
                            Name = $"config-{index}",
                            NumPartitions = 1,
                            ReplicationFactor = 1,
                            Configs = [new() { Name = item.Name, Value = item.Value }],
                        }),
                    ],
                },
                7);
            var byName = response.Topics.ToDictionary(topic => topic.Name, topic => (ErrorCode)topic.ErrorCode);
            for (var i = 0; i < chunk.Length; i++)
            {
                answers[$"{chunk[i].Name}='{chunk[i].Value}'"] = byName[$"config-{i}"].ToString();
            }
        }

        return answers;
    }

    private async Task<(IReadOnlyDictionary<string, string> Ours, IReadOnlyDictionary<string, string> Theirs)> AskBothAsync(
        Func<AnswersBesideKafka.Ask, Task<IReadOnlyDictionary<string, string>>> questions)
    {
        TestAgainst.SkipOnCluster("one broker is compared with one of Kafka's");
        var theirs = await questions(await kafka.AskAsync());
        return (await questions(new AnswersBesideKafka.Ask(IPEndPoint.Parse(broker.BootstrapServers))), theirs);
    }
}
