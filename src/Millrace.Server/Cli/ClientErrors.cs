using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Cli;

/// <summary>What exceptions of the client library say: one has an error for each thing it was asked about, another only one for all.</summary>
internal static class ClientErrors
{
    /// <returns>Errors, and what each is about if not the whole call; null for an exception of another kind.</returns>
    public static IReadOnlyList<(string? What, Error Error)>? Of(Exception failure) => failure switch
    {
        CreateTopicsException topics => [.. topics.Results.Select(item => ((string?)item.Topic, item.Error)).Where(IsError)],
        DeleteTopicsException topics => [.. topics.Results.Select(item => ((string?)item.Topic, item.Error)).Where(IsError)],
        CreatePartitionsException topics => [.. topics.Results.Select(item => ((string?)item.Topic, item.Error)).Where(IsError)],
        DeleteRecordsException records => [.. records.Results.Select(item => ($"{item.Topic}-{item.Partition.Value}", item.Error)).Where(IsError)],
        DeleteGroupsException groups => [.. groups.Results.Select(item => ((string?)item.Group, item.Error)).Where(IsError)],
        DescribeTopicsException topics => [.. topics.Results.TopicDescriptions.Select(item => ((string?)item.Name, item.Error)).Where(IsError)],
        DescribeConsumerGroupsException groups =>
            [.. groups.Results.ConsumerGroupDescriptions.Select(item => ((string?)item.GroupId, item.Error)).Where(IsError)],
        DescribeConfigsException configs => [.. configs.Results.Select(item => (Name(item.ConfigResource), item.Error)).Where(IsError)],
        IncrementalAlterConfigsException configs => [.. configs.Results.Select(item => (Name(item.ConfigResource), item.Error)).Where(IsError)],
        ListConsumerGroupsException groups => [("groups", groups.Error)],
        ListConsumerGroupOffsetsException offsets => [.. offsets.Results.SelectMany(group => Of(group.Group, group.Error, group.Partitions)).Where(IsError)],
        AlterConsumerGroupOffsetsException offsets => [.. offsets.Results.SelectMany(group => Of(group.Group, group.Error, group.Partitions)).Where(IsError)],
        ListOffsetsException offsets =>
            [.. offsets.Result.ResultInfos
                .Select(item => (Name(item.TopicPartitionOffsetError.TopicPartition), item.TopicPartitionOffsetError.Error))
                .Where(IsError)],
        KafkaException other => [(null, other.Error)],
        _ => null,
    };

    /// <summary>What the errors are about are topics, not partitions or groups.</summary>
    public static bool AreOfTopics(Exception failure) =>
        failure is DeleteTopicsException or CreatePartitionsException or DescribeTopicsException
            or DescribeConfigsException or IncrementalAlterConfigsException;

    private static bool IsError((string? What, Error Error) item) => item.Error.IsError;

    private static string? Name(ConfigResource resource) => resource.Type == ResourceType.Broker ? $"broker {resource.Name}" : resource.Name;

    private static string? Name(TopicPartition partition) => $"{partition.Topic}-{partition.Partition.Value}";

    private static IEnumerable<(string? What, Error Error)> Of(string group, Error error, IEnumerable<TopicPartitionOffsetError> partitions) =>
        partitions.Select(partition => (Name(partition.TopicPartition), partition.Error)).Prepend((group, error));
}
