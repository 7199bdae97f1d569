using System.Buffers;
using System.Globalization;
using System.Net;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Tests.Network.Serving;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Requests whose answers are compared between two brokers: each answer as a line without ids, times and free text.</summary>
internal static class AnswersBesideKafka
{
    public static async Task<IReadOnlyDictionary<string, string>> AskAsync(Ask ask)
    {
        var answers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await CreateAsync(ask, "beside-a", 3);
        await CreateAsync(ask, "beside-b", 5);
        var a = await IdOfAsync(ask, "beside-a");
        await OffsetsAsync(ask, answers);
        await MetadataAsync(ask, answers, a);
        await FetchesAsync(ask, answers);
        await DescribeAsync(ask, answers);
        var unknown = await ask.CallAsync<UnregisterBrokerRequest, UnregisterBrokerResponse>(new() { BrokerId = 77 }, 0);
        answers["unregister a broker that is not there"] = $"{(ErrorCode)unknown.ErrorCode} {unknown.ErrorMessage}";
        await ConfigsAsync(ask, answers);
        await GroupsAsync(ask, answers);
        await DeletionsAsync(ask, answers);
        return answers;
    }

    private static async Task OffsetsAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        foreach (var timestamp in new[] { -1L, -2, -3, -4, -5, -6, -7, -100, long.MinValue, 0 })
        {
            foreach (var version in new short[] { 1, 6, 7, 8, 9, 10, 11 })
            {
                var response = await ask.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
                    new()
                    {
                        ReplicaId = -1,
                        Topics = [new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0, Timestamp = timestamp }] }],
                    },
                    version);
                var partition = response.Topics[0].Partitions[0];
                answers[$"offset at {timestamp} v{version}"] = $"{(ErrorCode)partition.ErrorCode} {partition.Offset} {partition.Timestamp}";
            }
        }

        var twice = await ask.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new()
            {
                ReplicaId = -1,
                Topics =
                [
                    new()
                    {
                        Name = "beside-a",
                        Partitions = [new() { Timestamp = -1 }, new() { Timestamp = -2 }, new() { PartitionIndex = 1, Timestamp = -1 }],
                    },
                ],
            },
            7);
        answers["offsets of a partition named twice"] = string.Join(' ', twice.Topics.SelectMany(topic => topic.Partitions)
            .OrderBy(partition => partition.PartitionIndex).Select(partition => $"{partition.PartitionIndex}:{(ErrorCode)partition.ErrorCode}"));
    }

    private static async Task MetadataAsync(Ask ask, SortedDictionary<string, string> answers, Guid a)
    {
        var cases = new (string Name, short Version, MetadataRequest.MetadataRequestTopic[] Topics)[]
        {
            ("both", 12, [new() { Name = "beside-a", TopicId = a }]),
            ("both, of which the id is unknown", 12, [new() { Name = "beside-a", TopicId = new Guid(1, 2, 3, new byte[8]) }]),
            ("both, of which the name is unknown", 13, [new() { Name = "beside-none", TopicId = a }]),
            ("an id", 12, [new() { Name = null, TopicId = a }]),
            ("an unknown id", 12, [new() { Name = null, TopicId = new Guid(1, 2, 3, new byte[8]) }]),
            ("a name twice", 9, [new() { Name = "beside-a" }, new() { Name = "beside-b" }, new() { Name = "beside-a" }]),
            ("an unknown name twice", 9, [new() { Name = "beside-none" }, new() { Name = "beside-none" }]),
        };
        foreach (var (name, version, topics) in cases)
        {
            var response = await ask.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = topics, AllowAutoTopicCreation = false }, version);
            answers[$"metadata by {name}"] = string.Join(' ', response.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)
                .Select(topic => $"{topic.Name}:{(ErrorCode)topic.ErrorCode}:{topic.Partitions.Count}"));
        }
    }

    private static async Task FetchesAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        async Task AskAsync(string name, short version, FetchRequest request)
        {
            request.MaxBytes = 1 << 20;
            request.SessionEpoch = -1;
            foreach (var partition in request.Topics.SelectMany(topic => topic.Partitions))
            {
                partition.PartitionMaxBytes = 1 << 20;
            }

            var response = await ask.CallAsync<FetchRequest, FetchResponse>(request, version);
            answers[$"fetch {name}"] = $"{(ErrorCode)response.ErrorCode} " + string.Join(' ', response.Responses.SelectMany(topic => topic.Partitions)
                .Select(partition => $"{partition.PartitionIndex}:{(ErrorCode)partition.ErrorCode}"));
        }

        FetchRequest.FetchTopic[] Topics() => [new() { Topic = "beside-a", Partitions = [new() { Partition = 0 }] }];
        await AskAsync("plainly", 11, new() { ReplicaId = -1, Topics = Topics() });
        await AskAsync("as replica 5", 11, new() { ReplicaId = 5, Topics = Topics() });
        await AskAsync("at isolation level 7", 11, new() { ReplicaId = -1, IsolationLevel = 7, Topics = Topics() });
        var isolated = await ask.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { ReplicaId = -1, IsolationLevel = 7, Topics = [new() { Name = "beside-a", Partitions = [new() { Timestamp = -1 }] }] }, 7);
        answers["offset at isolation level 7"] = $"{(ErrorCode)isolated.Topics[0].Partitions[0].ErrorCode}";
        await AskAsync("of a partition named twice", 11, new() { ReplicaId = -1, Topics = [.. Topics(), .. Topics()] });
    }

    private static async Task DescribeAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        async Task PageAsync(string name, DescribeTopicPartitionsRequest request)
        {
            var response = await ask.CallAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(request, 0);
            answers[$"page {name}"] = string.Join(' ', response.Topics.Where(topic => !topic.IsInternal).Select(topic =>
                $"{topic.Name}:{(ErrorCode)topic.ErrorCode}:{topic.TopicAuthorizedOperations}:["
                + string.Join(',', topic.Partitions.Select(partition =>
                    $"{partition.PartitionIndex}/{partition.ReplicaNodes.Count}/{partition.IsrNodes.Count}/{partition.EligibleLeaderReplicas?.Count}"
                    + $"/{partition.LastKnownElr?.Count}/{partition.OfflineReplicas.Count}"))
                + "]"))
                + $" next {response.NextCursor?.TopicName}/{response.NextCursor?.PartitionIndex}";
        }

        DescribeTopicPartitionsRequest.TopicRequest[] both = [new() { Name = "beside-b" }, new() { Name = "beside-a" }];
        await PageAsync("of two", new() { Topics = both });
        await PageAsync("of four", new() { Topics = both, ResponsePartitionLimit = 4 });
        await PageAsync("of three", new() { Topics = both, ResponsePartitionLimit = 3 });
        await PageAsync("of none", new() { Topics = both, ResponsePartitionLimit = 0 });
        await PageAsync("from a cursor", new() { Topics = both, ResponsePartitionLimit = 2, Cursor = new() { TopicName = "beside-b", PartitionIndex = 1 } });
        await PageAsync("from a cursor behind the last partition", new() { Topics = both, Cursor = new() { TopicName = "beside-a", PartitionIndex = 9 } });
        await PageAsync("from a cursor below zero", new() { Topics = both, Cursor = new() { TopicName = "beside-a", PartitionIndex = -1 } });
        await PageAsync("from a cursor elsewhere", new() { Topics = both, Cursor = new() { TopicName = "beside-c", PartitionIndex = 0 } });
        await PageAsync(
            "of what is not there",
            new() { Topics = [new() { Name = "beside-none" }, new() { Name = "?" }, new() { Name = "beside-a" }, new() { Name = "beside-a" }] });

        foreach (var (name, topics) in new (string, DescribeLogDirsRequest.DescribableLogDirTopic[])[]
        {
            ("some", [new() { Topic = "beside-a", Partitions = [0, 2, 7] }, new() { Topic = "beside-none", Partitions = [0] }]),
            ("no", []),
        })
        {
            var response = await ask.CallAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new() { Topics = topics }, 5);
            answers[$"directories of {name} partitions"] = $"{(ErrorCode)response.ErrorCode} {response.Results.Count} "
                + string.Join(' ', response.Results[0].Topics.Select(topic =>
                    $"{topic.Name}:"
                    + string.Join(',', topic.Partitions.Select(partition =>
                        $"{partition.PartitionIndex}/{partition.PartitionSize}/{partition.OffsetLag}").Order())));
        }

        foreach (var (name, topic, partitions) in new (string, string, int[])[]
        {
            ("the log", "__cluster_metadata", [0]),
            ("another topic", "beside-a", [0]),
            ("another partition", "__cluster_metadata", [0, 1]),
        })
        {
            var asked = partitions.Select(index => new DescribeQuorumRequest.PartitionData { PartitionIndex = index });
            var response = await ask.CallAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
                new() { Topics = [new() { TopicName = topic, Partitions = [.. asked] }] }, 2);
            answers[$"quorum of {name}"] = $"{(ErrorCode)response.ErrorCode} nodes {response.Nodes.Count} "
                + string.Join(' ', response.Topics.SelectMany(item => item.Partitions).Select(partition =>
                    $"{partition.PartitionIndex}:{(ErrorCode)partition.ErrorCode}:{partition.CurrentVoters.Count}:{partition.Observers.Count}"));
        }

        foreach (var (version, types) in new (short, sbyte[])[] { (0, []), (1, []), (1, [2]), (1, [4, 8]), (1, [2, 2]), (1, [3]), (1, [16, 32]) })
        {
            var response = await ask.CallAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new() { ResourceTypes = types }, version);
            answers[$"config resources {string.Join(',', types)} v{version}"] = $"{(ErrorCode)response.ErrorCode} "
                + string.Join(' ', response.ConfigResources
                    .Where(resource => resource.ResourceType != 2 || resource.ResourceName.StartsWith("beside", StringComparison.Ordinal))
                    .Select(resource => $"{resource.ResourceType}:{(resource.ResourceType == 2 ? resource.ResourceName : "")}").Order());
        }
    }

    private static async Task ConfigsAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        var self = (await ask.CallAsync<MetadataRequest, MetadataResponse>(new(), 1)).Brokers[0].NodeId.ToString(CultureInfo.InvariantCulture);
        async Task AlterAsync(string name, sbyte type, string resource, params (string Key, string? Value)[] configs)
        {
            var values = configs.Select(config => new AlterConfigsRequest.AlterableConfig { Name = config.Key, Value = config.Value });
            var full = await ask.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
                new() { ValidateOnly = true, Resources = [new() { ResourceType = type, ResourceName = resource, Configs = [.. values] }] }, 2);
            var changes = configs.Select(config => new IncrementalAlterConfigsRequest.AlterableConfig { Name = config.Key, Value = config.Value });
            var step = await ask.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new() { ValidateOnly = true, Resources = [new() { ResourceType = type, ResourceName = resource, Configs = [.. changes] }] }, 1);
            answers[$"alter {name}"] = $"{(ErrorCode)full.Responses[0].ErrorCode} and step by step {(ErrorCode)step.Responses[0].ErrorCode}";
        }

        await AlterAsync("a topic", 2, "beside-a", ("retention.ms", "5"));
        await AlterAsync("a topic to a bad value", 2, "beside-a", ("retention.ms", "x"));
        await AlterAsync("an unknown key", 2, "beside-a", ("no.such", "x"));
        await AlterAsync("a topic to null", 2, "beside-a", ("retention.ms", null));
        await AlterAsync("a key twice", 2, "beside-a", ("retention.ms", "5"), ("retention.ms", "6"));
        await AlterAsync("an unknown topic", 2, "beside-none", ("retention.ms", "5"));
        await AlterAsync("tiered storage", 2, "beside-a", ("remote.storage.enable", "true"));
        await AlterAsync("a read-only key of a broker", 4, self, ("broker.rack", "r"));
        await AlterAsync("a bad value of a broker", 4, self, ("max.connections", "x"));
        await AlterAsync("an unknown key of a broker", 4, self, ("no.such", "x"));
        await AlterAsync("a read-only key of all brokers", 4, "", ("broker.rack", "r"));
        await AlterAsync("a bad value of all brokers", 4, "", ("log.retention.ms", "x"));
        await AlterAsync("an unknown key of all brokers", 4, "", ("no.such", "x"));
        await AlterAsync("a broker that is none", 4, "x", ("log.retention.ms", "5"));
        await AlterAsync("another broker", 4, "77", ("log.retention.ms", "5"));
        await AlterAsync("a type that is none", 3, "x", ("a", "5"));

        AlterConfigsRequest.AlterableConfig[] first = [new() { Name = "retention.ms", Value = "777" }, new() { Name = "flush.ms", Value = "9" }];
        await ask.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "beside-b", Configs = [.. first] }] }, 0);
        await ask.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "beside-b", Configs = [new() { Name = "flush.ms", Value = "8" }] }] }, 1);
        var described = await ask.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "beside-b", ConfigurationKeys = ["retention.ms", "flush.ms"] }] }, 4);
        answers["configs after two replacements"] = string.Join(
            ' ', described.Results[0].Configs.Select(config => $"{config.Name}={config.Value}/{config.ConfigSource}").Order());

        var created = await ask.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                TimeoutMs = 30_000,
                Topics =
                [
                    new()
                    {
                        Name = "beside-c",
                        NumPartitions = 1,
                        ReplicationFactor = 1,
                        Configs = [new() { Name = "retention.ms", Value = "x" }, new() { Name = "retention.ms", Value = "6" }],
                    },
                ],
            },
            7);
        answers["create with a config twice"] = $"{(ErrorCode)created.Topics[0].ErrorCode} "
            + created.Topics[0].Configs?.SingleOrDefault(config => config.Name == "retention.ms")?.Value;
    }

    private static async Task GroupsAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        const string Group = "beside-group";
        foreach (var attempt in Enumerable.Range(0, 100))
        {
            var found = await ask.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = Group }, 3);
            var commit = await ask.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(
                new()
                {
                    GroupId = Group,
                    GenerationIdOrMemberEpoch = -1,
                    Topics = [new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0, CommittedOffset = 7, CommittedMetadata = "" }] }],
                },
                7);
            if (found.ErrorCode == 0 && commit.Topics[0].Partitions[0].ErrorCode == 0)
            {
                break;
            }

            await Task.Delay(200);
        }

        await AlterOffsetsTopicAsync(ask, answers);
        foreach (var version in new short[] { 5, 6 })
        {
            var unknown = (await ask.CallAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = ["beside-no-group"] }, version)).Groups[0];
            answers[$"description of an unknown group v{version}"] = $"{(ErrorCode)unknown.ErrorCode} {unknown.GroupState}";
        }

        foreach (var (name, group, topics) in new (string, string, OffsetDeleteRequest.OffsetDeleteRequestTopic[])[]
        {
            ("an unknown group", "beside-no-group", [new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0 }] }]),
            ("no group", "", [new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0 }] }]),
            ("what there is and is not", Group,
            [
                new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0 }, new() { PartitionIndex = 1 }, new() { PartitionIndex = 9 }] },
                new() { Name = "beside-none", Partitions = [new() { PartitionIndex = 0 }] },
            ]),
            ("nothing", Group, []),
        })
        {
            var response = await ask.CallAsync<OffsetDeleteRequest, OffsetDeleteResponse>(new() { GroupId = group, Topics = topics }, 0);
            answers[$"offsets deleted of {name}"] = $"{(ErrorCode)response.ErrorCode} "
                + string.Join(' ', response.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic =>
                    $"{topic.Name}:"
                    + string.Join(',', topic.Partitions.OrderBy(partition => partition.PartitionIndex).Select(partition =>
                        $"{partition.PartitionIndex}/{(ErrorCode)partition.ErrorCode}"))));
        }
    }

    private static async Task AlterOffsetsTopicAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        const string Offsets = "__consumer_offsets";
        var altered = await ask.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new()
            {
                ValidateOnly = true,
                Resources = [new() { ResourceType = 2, ResourceName = Offsets, Configs = [new() { Name = "cleanup.policy", Value = "delete" }] }],
            },
            1);
        answers["alter retention of the offsets topic"] = $"{(ErrorCode)altered.Responses[0].ErrorCode}";
        var grown = await ask.CallAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { TimeoutMs = 30_000, ValidateOnly = true, Topics = [new() { Name = Offsets, Count = 77, Assignments = null }] }, 3);
        answers["grow the offsets topic"] = $"{(ErrorCode)grown.Results[0].ErrorCode}";
    }

    private static async Task DeletionsAsync(Ask ask, SortedDictionary<string, string> answers)
    {
        var records = await ask.CallAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new()
            {
                TimeoutMs = 30_000,
                Topics =
                [
                    new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 0, Offset = 99 }, new() { PartitionIndex = 0, Offset = -1 }] },
                    new() { Name = "beside-a", Partitions = [new() { PartitionIndex = 1, Offset = 0 }] },
                    new() { Name = "__consumer_offsets", Partitions = [new() { PartitionIndex = 0, Offset = -1 }] },
                ],
            },
            2);
        answers["records deleted of a partition named twice"] = string.Join(
            ' ',
            records.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic =>
                $"{topic.Name}:"
                + string.Join(',', topic.Partitions.OrderBy(partition => partition.PartitionIndex).Select(partition =>
                    $"{partition.PartitionIndex}/{(ErrorCode)partition.ErrorCode}"))));

        var topics = await ask.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new() { TimeoutMs = 30_000, TopicNames = ["beside-a", "beside-none", "beside-a"] }, 5);
        answers["topics deleted of which one is named twice"] = string.Join(' ', topics.Responses.OrderBy(topic => topic.Name, StringComparer.Ordinal)
            .Select(topic => $"{topic.Name}:{(ErrorCode)topic.ErrorCode}"));

        // A long poll hears of the deletion at once.
        var fetching = ask.CallAsync<FetchRequest, FetchResponse>(
            new()
            {
                ReplicaId = -1,
                MaxWaitMs = 20_000,
                MinBytes = 1,
                MaxBytes = 1 << 20,
                SessionEpoch = -1,
                Topics = [new() { Topic = "beside-b", Partitions = [new() { Partition = 0, PartitionMaxBytes = 1 << 20 }] }],
            },
            11);
        await Task.Delay(1_000);
        await ask.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TimeoutMs = 30_000, TopicNames = ["beside-b"] }, 5);
        var fetched = await fetching;
        answers["long poll of a topic that is deleted"] = $"{(ErrorCode)fetched.Responses[0].Partitions[0].ErrorCode}";

        var offsets = await ask.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TimeoutMs = 30_000, TopicNames = ["__consumer_offsets"] }, 5);
        answers["delete the offsets topic"] = $"{(ErrorCode)offsets.Responses[0].ErrorCode}";
    }

    /// <summary>Creates a topic, and waits until its partitions are served, which on a busy machine takes Kafka a moment more than its answer.</summary>
    private static async Task CreateAsync(Ask ask, string name, int partitions)
    {
        await ask.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { TimeoutMs = 30_000, Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }] }, 5);
        var latest = Enumerable.Range(0, partitions).Select(index => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = index, Timestamp = -1 });
        var request = new ListOffsetsRequest { ReplicaId = -1, Topics = [new() { Name = name, Partitions = [.. latest] }] };
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await ask.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(request, 1)).Topics[0].Partitions.All(partition => partition.ErrorCode == 0)));
    }

    private static async Task<Guid> IdOfAsync(Ask ask, string name) =>
        (await ask.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = name }] }, 12)).Topics[0].TopicId;

    /// <summary>Asks a broker, each time on a connection of its own.</summary>
    public sealed class Ask(IPEndPoint address)
    {
        public async Task<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            using var client = await RawClient.ConnectAsync(address);
            await client.SendAsync(request, version, correlationId: 1);
            return (await client.ReceiveAsync<TResponse>(version)).Response;
        }

        /// <summary>A topic of one partition, of which nothing grows too old.</summary>
        public Task CreateTopicAsync(string name) => CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                TimeoutMs = 30_000,
                Topics =
                [
                    new() { Name = name, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "retention.ms", Value = "-1" }] },
                ],
            },
            5);

        /// <summary>What the leader says to these bytes, sent as they are to the first partition, when somebody leads it.</summary>
        public async Task<ErrorCode> ProduceAsync(string topic, byte[] records)
        {
            while (true)
            {
                var response = await (await LeaderAsync(topic)).CallAsync<ProduceRequest, ProduceResponse>(
                    new()
                    {
                        Acks = -1,
                        TimeoutMs = 30_000,
                        TopicData = [new() { Name = topic, PartitionData = [new() { Records = new ReadOnlySequence<byte>(records) }] }],
                    },
                    9);
                var error = (ErrorCode)response.Responses[0].PartitionResponses[0].ErrorCode;
                if (error is not (ErrorCode.NotLeaderOrFollower or ErrorCode.UnknownTopicOrPartition))
                {
                    return error;
                }

                // The topic is being made.
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }

        private async Task<Ask> LeaderAsync(string topic)
        {
            var metadata = await CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = topic }] }, 12);
            var leader = metadata.Topics[0].Partitions is [var first, ..] ? first.LeaderId : -1;
            return metadata.Brokers.FirstOrDefault(broker => broker.NodeId == leader) is { } found
                ? new Ask(new IPEndPoint(IPAddress.Parse(found.Host), found.Port))
                : this;
        }
    }
}
