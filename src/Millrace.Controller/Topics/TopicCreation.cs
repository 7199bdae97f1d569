using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>CreateTopics: each topic is checked and answered by itself.</summary>
internal sealed class TopicCreation(ConfigResolver configs, NodeRandom random)
{
    // Kafka's own bound on one request; it also bounds the size of a log entry.
    internal const int MaxPartitionsPerRequest = 10_000;

    // Replicas need not exist, so something else has to bound their number, and with it the size of log entries and answers.
    private const int MaxReplicationFactor = 32;

    public CreateTopicsResponse Create(PendingEntry entry, CreateTopicsRequest request)
    {
        var names = request.Topics.CountBy(topic => topic.Name, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var room = MaxPartitionsPerRequest;
        var results = new List<CreateTopicsResponse.CreatableTopicResult>(request.Topics.Count);
        foreach (var topic in request.Topics.DistinctBy(topic => topic.Name, StringComparer.Ordinal))
        {
            try
            {
                if (names[topic.Name] > 1)
                {
                    throw new AdminException(ErrorCode.InvalidRequest, "Duplicate topic name.");
                }

                var spec = Check(entry, topic);
                room -= spec.Replicas.Count;
                if (room < 0)
                {
                    throw new AdminException(
                        ErrorCode.PolicyViolation, $"Excessively large number of partitions per request: at most {MaxPartitionsPerRequest} are created at once.");
                }

                // A rehearsal takes its records back, but only after it has been answered from the state that they make.
                results.Add(entry.Run(pending => Answer(pending, Create(pending, spec)), keep: !request.ValidateOnly));
                if (request.ValidateOnly)
                {
                    results[^1].TopicId = Guid.Empty;
                }
            }
            catch (AdminException refusal)
            {
                results.Add(new CreateTopicsResponse.CreatableTopicResult
                {
                    Name = topic.Name,
                    ErrorCode = (short)refusal.Error,
                    ErrorMessage = refusal.Message,
                });
            }
        }

        return new CreateTopicsResponse { Topics = results };
    }

    /// <summary>Adds partitions to a topic: from the present count on, one for each list of replicas.</summary>
    internal static void AddPartitions(PendingEntry entry, Guid topicId, int first, IReadOnlyList<IReadOnlyList<NodeId>> replicas)
    {
        var live = LiveNodes(entry);
        for (var i = 0; i < replicas.Count; i++)
        {
            var index = first + i;
            var stream = Streams.StreamOperations.Create(entry, topicId, index);
            var leader = PartitionAssignment.ChooseLeader(replicas[i], live, index);
            entry.Add(new PartitionImage(index, stream, leader, new StreamEpoch(0), [.. replicas[i]]).ToRecord(topicId));
        }
    }

    internal static IReadOnlyList<NodeId> LiveNodes(PendingEntry entry)
    {
        var live = entry.Cluster.LiveNodes.Select(node => node.Id).ToArray();
        return live.Length > 0 ? live : throw new AdminException(ErrorCode.InvalidReplicationFactor, "No broker is registered.");
    }

    /// <summary>Checks one list of replicas that somebody chose by hand.</summary>
    /// <param name="entry">Knows the registered nodes.</param>
    /// <param name="brokers">The list.</param>
    /// <param name="partition">Whose it is.</param>
    /// <param name="alsoKnown">Nodes that may be named though they are not registered.</param>
    internal static IReadOnlyList<NodeId> CheckReplicas(
        PendingEntry entry, IReadOnlyList<int> brokers, int partition, IReadOnlyList<NodeId> alsoKnown)
    {
        if (brokers.Count == 0)
        {
            throw new AdminException(ErrorCode.InvalidReplicaAssignment, "The manual partition assignment includes an empty replica list.");
        }

        if (brokers.Distinct().Count() != brokers.Count)
        {
            throw new AdminException(ErrorCode.InvalidReplicaAssignment, $"The manual partition assignment includes a broker more than once for partition {partition}.");
        }

        foreach (var broker in brokers)
        {
            if (!entry.Cluster.Nodes.ContainsKey(new NodeId(broker)) && !alsoKnown.Contains(new NodeId(broker)))
            {
                throw new AdminException(
                    ErrorCode.InvalidReplicaAssignment, $"The manual partition assignment includes broker {broker}, but no such broker is registered.");
            }
        }

        return [.. brokers.Select(broker => new NodeId(broker))];
    }

    private TopicSpec Check(PendingEntry entry, CreateTopicsRequest.CreatableTopic topic)
    {
        if (TopicName.Check(topic.Name) is { } problem)
        {
            throw new AdminException(ErrorCode.InvalidTopicException, problem);
        }

        if (entry.Cluster.TryGetTopic(topic.Name, out _))
        {
            throw new AdminException(ErrorCode.TopicAlreadyExists, $"Topic '{topic.Name}' already exists.");
        }

        CheckCollision(entry, topic.Name);
        var settings = CheckConfigs(topic);
        if (topic.Assignments.Count > 0)
        {
            var assigned = CheckAssignments(entry, topic);
            return new TopicSpec(topic.Name, (short)assigned[0].Count, assigned, settings);
        }

        if (topic.ReplicationFactor is < -1 or 0)
        {
            throw new AdminException(
                ErrorCode.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.");
        }

        if (topic.NumPartitions is < -1 or 0)
        {
            throw new AdminException(
                ErrorCode.InvalidPartitions, "Number of partitions must be larger than 0, or -1 to use the default value.");
        }

        var count = topic.NumPartitions > 0 ? topic.NumPartitions : Default(entry, DefaultPartitions(topic.Name));
        if (count > MaxPartitionsPerRequest)
        {
            throw new AdminException(
                ErrorCode.PolicyViolation, $"Excessively large number of partitions per request: at most {MaxPartitionsPerRequest} are created at once.");
        }

        var factor = topic.ReplicationFactor > 0 ? topic.ReplicationFactor : Default(entry, DefaultFactor(topic.Name));
        if (factor > MaxReplicationFactor)
        {
            throw new AdminException(ErrorCode.InvalidReplicationFactor, $"Replication factor must not be larger than {MaxReplicationFactor}.");
        }

        var live = LiveNodes(entry);
        return new TopicSpec(
            topic.Name,
            (short)factor,
            [.. Enumerable.Range(0, count).Select(partition => PartitionAssignment.PlaceReplicas(live, entry.Cluster.NextNodeId, partition, factor))],
            settings);
    }

    private static void CheckCollision(PendingEntry entry, string name)
    {
        if (!name.Contains('.') && !name.Contains('_'))
        {
            return;
        }

        var key = TopicName.CollisionKey(name);
        foreach (var other in entry.Cluster.Topics.Keys)
        {
            if (other.Length == name.Length && TopicName.CollisionKey(other) == key)
            {
                throw new AdminException(ErrorCode.InvalidTopicException, $"Topic '{name}' collides with existing topic: {other}");
            }
        }
    }

    /// <summary>Of a config that is given twice the last value counts, as in Kafka.</summary>
    private static List<KeyValuePair<string, string>> CheckConfigs(CreateTopicsRequest.CreatableTopic topic)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var config in topic.Configs)
        {
            settings[config.Name] = config.Value
                ?? throw new AdminException(ErrorCode.InvalidConfig, $"Null value not supported for topic configs: {config.Name}");
        }

        if (InternalTopics.Contains(topic.Name))
        {
            // Their state is the newest record of each key: without this, retention would delete it.
            settings.TryAdd(TopicConfigs.CleanupPolicy, "compact");
        }

        foreach (var (name, value) in settings)
        {
            if ((TopicConfigs.Check(name, value) ?? InternalTopics.CheckConfig(topic.Name, name, value)) is { } problem)
            {
                throw new AdminException(ErrorCode.InvalidConfig, problem);
            }
        }

        return [.. settings];
    }

    private static IReadOnlyList<NodeId>[] CheckAssignments(PendingEntry entry, CreateTopicsRequest.CreatableTopic topic)
    {
        if (topic.ReplicationFactor != -1)
        {
            throw new AdminException(
                ErrorCode.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.");
        }

        if (topic.NumPartitions != -1)
        {
            throw new AdminException(
                ErrorCode.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.");
        }

        if (topic.Assignments.DistinctBy(assignment => assignment.PartitionIndex).Count() != topic.Assignments.Count)
        {
            throw new AdminException(ErrorCode.InvalidReplicaAssignment, "Found multiple manual partition assignments for one partition.");
        }

        var sorted = topic.Assignments.OrderBy(assignment => assignment.PartitionIndex).ToArray();
        if (sorted[0].PartitionIndex != 0 || sorted[^1].PartitionIndex != sorted.Length - 1)
        {
            throw new AdminException(ErrorCode.InvalidReplicaAssignment, "Partitions should be a consecutive 0-based integer sequence.");
        }

        var replicas = sorted.Select(assignment => CheckReplicas(entry, assignment.BrokerIds, assignment.PartitionIndex, alsoKnown: [])).ToArray();
        return replicas.All(list => list.Count == replicas[0].Count)
            ? replicas
            : throw new AdminException(
                ErrorCode.InvalidReplicaAssignment, "The manual partition assignment gives partitions different numbers of replicas.");
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
        int.Parse(configs.Broker(entry.Cluster, BrokerConfigs.Find(config)!).Value!, System.Globalization.CultureInfo.InvariantCulture);

    private TopicImage Create(PendingEntry entry, TopicSpec spec)
    {
        var id = random.NewId();
        entry.Add(new TopicRecord
        {
            TopicId = id,
            Name = spec.Name,
            ReplicationFactor = spec.ReplicationFactor,
            Configs = [.. spec.Configs.Select(config => new TopicRecord.Config { Name = config.Key, Value = config.Value })],
        });
        AddPartitions(entry, id, first: 0, spec.Replicas);
        return entry.Cluster.Topics[spec.Name];
    }

    private CreateTopicsResponse.CreatableTopicResult Answer(PendingEntry entry, TopicImage topic) =>
        new()
        {
            Name = topic.Name,
            TopicId = topic.Id,
            NumPartitions = topic.Partitions.Count,
            ReplicationFactor = topic.ReplicationFactor,
            Configs =
            [
                .. configs.Topic(entry.Cluster, topic).Select(config => new CreateTopicsResponse.CreatableTopicConfigs
                {
                    Name = config.Definition.Name,
                    Value = config.Value,
                    ReadOnly = false,
                    ConfigSource = (sbyte)config.Source,
                    IsSensitive = config.Definition.IsSensitive,
                }),
            ],
        };
}
