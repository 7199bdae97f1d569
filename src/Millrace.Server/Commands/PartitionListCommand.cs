using System.CommandLine;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition list [--topic NAME]… [--internal] [--unavailable]</c></summary>
[Example("millrace partition list --topic orders", "Who leads which partition of a topic")]
[Example("millrace partition list --unavailable", "Those that nobody leads, and which WAL of which broker each waits for")]
internal sealed class PartitionListCommand : ClientCommand
{
    private readonly Option<string[]> _topics = new("--topic", "-t")
    {
        Description = "Only this topic's; those of all but internal topics if not given; may be repeated",
        HelpName = "NAME",
    };

    private readonly InternalTopicsOption _internal = new();

    private readonly Option<bool> _unavailable = new("--unavailable") { Description = "Only those that no broker leads, internal topics' among them" };

    public PartitionListCommand()
        : base("list", "List partitions with their leaders, and what those without one wait for")
    {
        _topics.CompletionSources.AddTopics(Client);
        Options.Add(_topics);
        Options.Add(_internal);
        Options.Add(_unavailable);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);
        var report = new Report("Topic", "Partition", "Leader", "Replicas", "In sync", "Waits for node", "Wal", "Wal location", "Recovered by", "Damaged");
        foreach (var topic in TopicsIn(admin, result))
        {
            foreach (var partition in topic.Partitions.OrderBy(partition => partition.PartitionId))
            {
                var isLed = partition.Leader >= 0;
                if (isLed && result.GetValue(_unavailable))
                {
                    continue;
                }

                var wal = isLed ? null : cluster.WaitsFor(topic.Topic, partition.PartitionId);
                var waiting = wal?.Partitions[(topic.Topic, partition.PartitionId)];
                report.Add(
                    topic.Topic, partition.PartitionId, isLed ? partition.Leader : null, Ids(partition.Replicas), Ids(partition.InSyncReplicas),
                    wal?.Node, wal?.Id.ToString(), wal?.Location, waiting?.RecoveredBy, waiting?.IsDamaged);
            }
        }

        report.Write(Client.Json(result));
        if (cluster.Untold is { } reason && !report.IsEmpty)
        {
            Messages.Note(Client.Json(result), $"What partitions wait for is not known now: the controller does not say it ({reason}).");
        }

        return ExitCode.Success;
    }

    private IEnumerable<TopicMetadata> TopicsIn(IAdminClient admin, ParseResult result)
    {
        var all = admin.GetMetadata(Client.Timeout(result)).Topics;
        var named = result.GetValue(_topics) ?? [];
        return named.Except(all.Select(topic => topic.Topic)).FirstOrDefault() is { } missing
            ? throw new CommandFailedException(ExitCode.NotFound, Absence.OfTopic(admin, missing, Client.Timeout(result)))
            : all.Where(topic => named.Length == 0 ? IsShown(topic.Topic, result) : named.Contains(topic.Topic))
                .OrderBy(topic => topic.Topic, StringComparer.Ordinal);
    }

    // Whoever looks for what is amiss wants all of it.
    private bool IsShown(string topic, ParseResult result) => result.GetValue(_unavailable) || _internal.Shows(result, topic, asked: "");

    private static JsonArray Ids(int[] nodes) => new([.. nodes.Select(node => (JsonNode)node)]);
}
