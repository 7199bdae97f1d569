using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group describe NAME [--members]</c></summary>
[Example("millrace group describe billing", "Its offsets, and how far behind it is")]
[Example("millrace group describe billing --members", "Who reads what")]
internal sealed class GroupDescribeCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The group" };

    private readonly Option<bool> _members = new("--members", "-m") { Description = "Show members instead of offsets and lag" };

    public GroupDescribeCommand()
        : base("describe", "Show a group's offsets and lag, or its members")
    {
        _name.CompletionSources.AddGroups(Client);
        Arguments.Add(_name);
        Options.Add(_members);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var name = result.GetValue(_name)!;
        var timeout = Client.Timeout(result);
        var described = await GroupCalls.RepeatAsync(
            timeout, () => admin.DescribeConsumerGroupsAsync([name], new DescribeConsumerGroupsOptions { RequestTimeout = timeout }));
        var group = described.ConsumerGroupDescriptions[0];
        if (group.State == ConsumerGroupState.Dead)
        {
            throw new CommandFailedException(ExitCode.NotFound, Absence.OfGroup(name));
        }

        var report = result.GetValue(_members) ? Members(group) : await OffsetsAsync(admin, group, result);
        report.Write(Client.Json(result));
        if (report.IsEmpty)
        {
            Messages.Note(
                Client.Json(result),
                $"Group '{name}' ({group.State}) has {(result.GetValue(_members) ? "no members" : "committed no offsets; --members shows its members")}.");
        }

        return ExitCode.Success;
    }

    private static Report Members(ConsumerGroupDescription group)
    {
        var report = new Report("Group", "State", "Member", "Client", "Host", "Partitions");
        foreach (var member in group.Members)
        {
            var partitions = member.Assignment.TopicPartitions.Select(partition => $"{partition.Topic}-{partition.Partition.Value}");
            report.Add(
                group.GroupId, group.State.ToString(), member.ConsumerId, member.ClientId, member.Host,
                new System.Text.Json.Nodes.JsonArray([.. partitions.Select(partition => (System.Text.Json.Nodes.JsonNode)partition)]));
        }

        return report;
    }

    private async Task<Report> OffsetsAsync(IAdminClient admin, ConsumerGroupDescription group, ParseResult result)
    {
        var timeout = Client.Timeout(result);
        var listed = await GroupCalls.RepeatAsync(timeout, () => admin.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(group.GroupId, null)], new ListConsumerGroupOffsetsOptions { RequestTimeout = timeout }));
        var owners = group.Members
            .SelectMany(member => member.Assignment.TopicPartitions.Select(partition => (partition, member.ConsumerId)))
            .ToDictionary(item => item.partition, item => item.ConsumerId);
        var committed = listed[0].Partitions.Where(partition => partition.Offset >= 0).ToList();
        var ends = await EndsAsync(admin, [.. committed.Select(partition => partition.TopicPartition)], result);

        var report = new Report("Group", "State", "Topic", "Partition", "Committed offset", "High watermark", "Lag", "Member");
        foreach (var partition in committed.OrderBy(item => item.Topic, StringComparer.Ordinal).ThenBy(item => item.Partition.Value))
        {
            long? end = ends.TryGetValue(partition.TopicPartition, out var known) ? known : null;
            report.Add(
                group.GroupId, group.State.ToString(), partition.Topic, partition.Partition.Value, partition.Offset.Value,
                end, end - partition.Offset.Value, owners.GetValueOrDefault(partition.TopicPartition));
        }

        return report;
    }

    private async Task<Dictionary<TopicPartition, long>> EndsAsync(IAdminClient admin, List<TopicPartition> partitions, ParseResult result)
    {
        if (partitions.Count == 0)
        {
            return [];
        }

        try
        {
            var listed = await admin.ListOffsetsAsync(
                partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }),
                new ListOffsetsOptions { RequestTimeout = Client.Timeout(result) });
            return Ends(listed.ResultInfos);
        }
        catch (ListOffsetsException failure)
        {
            // Some topics may be deleted by now: what is known is shown, the rest stays open.
            return Ends(failure.Result.ResultInfos);
        }
    }

    private static Dictionary<TopicPartition, long> Ends(IEnumerable<ListOffsetsResultInfo> infos) => infos
        .Where(info => !info.TopicPartitionOffsetError.Error.IsError)
        .ToDictionary(info => info.TopicPartitionOffsetError.TopicPartition, info => info.TopicPartitionOffsetError.Offset.Value);
}
