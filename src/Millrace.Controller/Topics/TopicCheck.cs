using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>What CreateTopics asks of a topic, by Kafka's rules, and the defaults that complete it.</summary>
internal sealed class TopicCheck(ConfigResolver configs)
{
    // Replicas need not exist, so something else has to bound their number, and with it the size of log entries and answers.
    private const int MaxReplicationFactor = 32;

    public static Refusal TooManyPartitions { get; } = new(
        ErrorCode.PolicyViolation,
        $"Excessively large number of partitions per request: at most {TopicCreation.MaxPartitionsPerRequest} are created at once.");

    /// <summary>Why the topic cannot be created, or null with what is to be.</summary>
    public Refusal? Check(PendingEntry entry, CreateTopicsRequest.CreatableTopic topic, out TopicSpec? spec)
    {
        spec = null;
        if ((CheckName(entry, topic.Name) ?? ReplicaPlacement.RefuseWithoutBroker(entry)) is { } refusal)
        {
            return refusal;
        }

        if (CheckConfigs(entry, topic, out var settings) is { } invalid)
        {
            return invalid;
        }

        if (topic.Assignments.Count > 0)
        {
            if (CheckAssignments(entry, topic, out var assigned) is { } unfit)
            {
                return unfit;
            }

            spec = new TopicSpec(topic.Name, (short)assigned[0].Count, assigned, settings);
            return null;
        }

        if (topic.ReplicationFactor is < -1 or 0)
        {
            return new Refusal(ErrorCode.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.");
        }

        if (topic.NumPartitions is < -1 or 0)
        {
            return new Refusal(ErrorCode.InvalidPartitions, "Number of partitions must be larger than 0, or -1 to use the default value.");
        }

        var count = topic.NumPartitions > 0 ? topic.NumPartitions : Default(entry, DefaultPartitions(topic.Name));
        if (count > TopicCreation.MaxPartitionsPerRequest)
        {
            return TooManyPartitions;
        }

        var factor = topic.ReplicationFactor > 0 ? topic.ReplicationFactor : Default(entry, DefaultFactor(topic.Name));
        if (factor > MaxReplicationFactor)
        {
            return new Refusal(ErrorCode.InvalidReplicationFactor, $"Replication factor must not be larger than {MaxReplicationFactor}.");
        }

        spec = new TopicSpec(
            topic.Name,
            (short)factor,
            new ReplicaPlacement(entry).Place(count, factor),
            settings);
        return null;
    }

    private static Refusal? CheckName(PendingEntry entry, string name)
    {
        if (TopicName.Check(name) is { } problem)
        {
            return new Refusal(ErrorCode.InvalidTopicException, problem);
        }

        if (entry.Cluster.TryGetTopic(name, out _))
        {
            return new Refusal(ErrorCode.TopicAlreadyExists, $"Topic '{name}' already exists.");
        }

        if (!name.Contains('.') && !name.Contains('_'))
        {
            return null;
        }

        var key = TopicName.CollisionKey(name);
        var collides = entry.Cluster.Topics.Keys.FirstOrDefault(other => other.Length == name.Length && TopicName.CollisionKey(other) == key);
        return collides is null ? null : new Refusal(ErrorCode.InvalidTopicException, $"Topic '{name}' collides with existing topic: {collides}");
    }

    /// <summary>Of a config that is given twice the last value counts, as in Kafka.</summary>
    private static Refusal? CheckConfigs(
        PendingEntry entry, CreateTopicsRequest.CreatableTopic topic, out IReadOnlyList<KeyValuePair<string, string>> settings)
    {
        settings = [];
        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var config in topic.Configs)
        {
            if (config.Value is null)
            {
                return new Refusal(ErrorCode.InvalidConfig, $"Null value not supported for topic configs: {config.Name}");
            }

            named[config.Name] = config.Value;
        }

        if (InternalTopics.Contains(topic.Name))
        {
            // Their state is the newest record of each key: without this, retention would delete it.
            named.TryAdd(TopicConfigs.CleanupPolicy, CleanupPolicy.Compact);
        }

        foreach (var (name, value) in named)
        {
            if ((TopicConfigs.Check(name, value) ?? InternalTopics.CheckConfig(topic.Name, name, value)
                ?? TopicWalCheck.Check(entry.Cluster, name, value)) is { } problem)
            {
                return new Refusal(ErrorCode.InvalidConfig, problem);
            }
        }

        settings = [.. named];
        return null;
    }

    private static Refusal? CheckAssignments(
        PendingEntry entry, CreateTopicsRequest.CreatableTopic topic, out IReadOnlyList<IReadOnlyList<NodeId>> replicas)
    {
        replicas = [];
        if (topic.ReplicationFactor != -1)
        {
            return new Refusal(ErrorCode.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.");
        }

        if (topic.NumPartitions != -1)
        {
            return new Refusal(ErrorCode.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.");
        }

        if (topic.Assignments.DistinctBy(assignment => assignment.PartitionIndex).Count() != topic.Assignments.Count)
        {
            return new Refusal(ErrorCode.InvalidReplicaAssignment, "Found multiple manual partition assignments for one partition.");
        }

        var sorted = topic.Assignments.OrderBy(assignment => assignment.PartitionIndex).ToArray();
        if (sorted[0].PartitionIndex != 0 || sorted[^1].PartitionIndex != sorted.Length - 1)
        {
            return new Refusal(ErrorCode.InvalidReplicaAssignment, "Partitions should be a consecutive 0-based integer sequence.");
        }

        var chosen = sorted.Select(assignment => (assignment.PartitionIndex, assignment.BrokerIds)).ToArray();
        if (ManualAssignment.Check(entry, chosen, alsoKnown: []) is { } refusal)
        {
            return refusal;
        }

        var assigned = ManualAssignment.Replicas(chosen);
        replicas = assigned;
        return assigned.All(list => list.Count == assigned[0].Count)
            ? null
            : new Refusal(ErrorCode.InvalidReplicaAssignment, "The manual partition assignment gives partitions different numbers of replicas.");
    }

    private static string DefaultPartitions(string topic) =>
        topic switch
        {
            InternalTopics.ConsumerOffsets => BrokerConfigs.OffsetsTopicNumPartitions,
            InternalTopics.TransactionState => BrokerConfigs.TransactionTopicNumPartitions,
            _ => BrokerConfigs.NumPartitions,
        };

    private static string DefaultFactor(string topic) =>
        topic == InternalTopics.ConsumerOffsets ? BrokerConfigs.OffsetsTopicReplicationFactor : BrokerConfigs.DefaultReplicationFactor;

    private int Default(PendingEntry entry, string config) =>
        configs.Broker(entry.Cluster, config).AsInt();
}
