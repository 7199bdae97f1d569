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

    private readonly TopicCheck _check = new(configs);

    public CreateTopicsResponse Create(PendingEntry entry, CreateTopicsRequest request)
    {
        var names = request.Topics.CountBy(topic => topic.Name, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var room = MaxPartitionsPerRequest;
        var results = new List<CreateTopicsResponse.CreatableTopicResult>(request.Topics.Count);
        foreach (var topic in request.Topics.DistinctBy(topic => topic.Name, StringComparer.Ordinal))
        {
            TopicSpec? spec = null;
            var refusal = names[topic.Name] > 1
                ? new Refusal(ErrorCode.InvalidRequest, "Duplicate topic name.")
                : _check.Check(entry, topic, out spec);
            if (refusal is null)
            {
                room -= spec!.Replicas.Count;
                refusal = room < 0 ? TopicCheck.TooManyPartitions : null;
            }

            if (refusal is not null)
            {
                results.Add(new CreateTopicsResponse.CreatableTopicResult
                {
                    Name = topic.Name,
                    ErrorCode = (short)refusal.Error,
                    ErrorMessage = refusal.Message,
                });
                continue;
            }

            // A rehearsal takes its records back, but only after it has been answered from the state that they make.
            results.Add(entry.Run(pending => Answer(pending, Create(pending, spec!)), keep: !request.ValidateOnly));
            if (request.ValidateOnly)
            {
                results[^1].TopicId = Guid.Empty;
            }
        }

        return new CreateTopicsResponse { Topics = results };
    }

    /// <summary>Adds partitions to a topic: from the present count on, one for each list of replicas.</summary>
    internal static void AddPartitions(PendingEntry entry, Guid topicId, int first, IReadOnlyList<IReadOnlyList<NodeId>> replicas)
    {
        var live = ReplicaPlacement.Candidates(entry.Cluster);
        for (var i = 0; i < replicas.Count; i++)
        {
            var index = first + i;
            var stream = Streams.StreamOperations.Create(entry, topicId, index);
            var leader = ReplicaPlacement.ChooseLeader(replicas[i], live, index);
            entry.Add(new PartitionImage(index, stream, leader, new StreamEpoch(0), [.. replicas[i]]).ToRecord(topicId));
        }
    }

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
