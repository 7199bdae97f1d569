using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Creates a topic, makes it grow, changes its configs, deletes it and creates it again under the same name, while others use it.</summary>
internal sealed class TopicAdmin(SimulationKernel kernel, Lane lane, SimulatedClient client)
{
    private const string Topic = "comes-and-goes";
    private const int MostPartitions = 4;
    private const int PatienceMs = 10_000;
    private static readonly (string Name, string[] Values)[] Configs =
    [
        ("compression.type", ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
        ("max.message.bytes", [$"{BrokerWorld.SmallestLimit}", $"{BrokerWorld.LargestBatch}"]),
        ("message.timestamp.type", ["CreateTime", "LogAppendTime"]),
        ("retention.bytes", ["-1", "1073741824"]),
    ];

    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SpokenVersions _versions = new(kernel.Random);
    private readonly List<TopicOracle> _incarnations = [];

    /// <summary>The topic, if it is known to be there; its deletion may be under way.</summary>
    public TopicOracle? Current { get; private set; }

    /// <summary>The incarnation before the current one: nothing of it is to be seen.</summary>
    public TopicOracle? Former => _incarnations.LastOrDefault(topic => topic.IsDeleted);

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                await (Current switch
                {
                    null => CreateAsync(),
                    { DeletionSent: true } topic => DeleteAsync(topic),
                    { } topic => _random.Next(10) switch
                    {
                        < 3 => DeleteAsync(topic),
                        < 6 => GrowAsync(topic),
                        _ => ConfigureAsync(),
                    },
                });
            }
            catch (IOException)
            {
                // The client has counted it. Whether it was done shows next time.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(6)), lane.Time);
        }
    }

    private async Task CreateAsync()
    {
        var answer = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new CreateTopicsRequest
            {
                TimeoutMs = PatienceMs,
                Topics =
                [
                    new CreateTopicsRequest.CreatableTopic
                    {
                        Name = Topic, NumPartitions = _random.Next(1, 3), ReplicationFactor = 1, Configs = BrokerWorld.TopicConfigs,
                    },
                ],
            },
            _versions.CreateTopics);
        Expect("create", (ErrorCode)answer.Topics[0].ErrorCode, ErrorCode.TopicAlreadyExists);
        await DescribeAsync();
    }

    /// <summary>Finds out what is there under the name.</summary>
    private async Task DescribeAsync()
    {
        var answer = await client.CallAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [new MetadataRequest.MetadataRequestTopic { Name = Topic }], AllowAutoTopicCreation = false }, _versions.Metadata);
        var found = answer.Topics[0];
        if (found.ErrorCode == (short)ErrorCode.UnknownTopicOrPartition)
        {
            if (Current is { DeletionSent: false } lost)
            {
                throw new ViolationException($"Topic {Topic} ({lost.Id}) is gone, and nobody has deleted it");
            }

            Current = null;
            return;
        }

        var topic = _incarnations.Find(known => known.Id == found.TopicId);
        if (topic is { IsDeleted: true } || found.TopicId == Guid.Empty)
        {
            throw new ViolationException($"Topic {Topic} ({found.TopicId}) was deleted, and is there again");
        }

        if (topic is null)
        {
            topic = new TopicOracle(kernel, Topic, _incarnations.Count + 1, comesAgain: true) { Id = found.TopicId };
            _incarnations.Add(topic);
            kernel.Coverage.Count(_incarnations.Count > 1 ? "topics: created again" : "topics: created");
        }

        topic.GrowTo(found.Partitions.Count);
        Current = topic;
    }

    private async Task DeleteAsync(TopicOracle topic)
    {
        topic.DeletionSent = true;
        var answer = await client.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new DeleteTopicsRequest { TimeoutMs = PatienceMs, Topics = [new DeleteTopicsRequest.DeleteTopicState { TopicId = topic.Id }] },
            _versions.DeleteTopics);
        if (!Expect("delete", (ErrorCode)answer.Responses[0].ErrorCode, ErrorCode.UnknownTopicId))
        {
            return;
        }

        topic.IsDeleted = true;
        Current = null;
        kernel.Coverage.Count("topics: deleted");
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        await new PartitionReader(kernel, client, _versions, topic.Partitions[0]).FetchAsync(0);
        await DescribeAsync();
    }

    private async Task GrowAsync(TopicOracle topic)
    {
        var count = topic.Partitions.Count + 1;
        if (count > MostPartitions)
        {
            return;
        }

        var answer = await client.CallAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new CreatePartitionsRequest
            {
                TimeoutMs = PatienceMs,
                Topics = [new CreatePartitionsRequest.CreatePartitionsTopic { Name = Topic, Count = count, Assignments = null }],
            },
            _versions.CreatePartitions);
        // It has them already if a former request was done and not answered.
        if (Expect("grow", (ErrorCode)answer.Results[0].ErrorCode, ErrorCode.InvalidPartitions))
        {
            topic.GrowTo(count);
            kernel.Coverage.Count("topics: grown");
        }
    }

    private async Task ConfigureAsync()
    {
        var (name, values) = _random.Pick(Configs);
        var answer = await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new IncrementalAlterConfigsRequest
            {
                Resources =
                [
                    new IncrementalAlterConfigsRequest.AlterConfigsResource
                    {
                        ResourceType = 2,
                        ResourceName = Topic,
                        Configs = [new IncrementalAlterConfigsRequest.AlterableConfig { Name = name, ConfigOperation = 0, Value = _random.Pick(values) }],
                    },
                ],
            },
            _versions.IncrementalAlterConfigs);
        if (Expect("configure", (ErrorCode)answer.Responses[0].ErrorCode, ErrorCode.None))
        {
            kernel.Coverage.Count($"topics: {name} changed");
        }
    }

    /// <returns>Whether it is done.</returns>
    /// <param name="what">What was asked for.</param>
    /// <param name="error">What the broker said.</param>
    /// <param name="done">What it says when it was done before.</param>
    private bool Expect(string what, ErrorCode error, ErrorCode done)
    {
        if (error == ErrorCode.None || error == done)
        {
            return true;
        }

        kernel.Coverage.Count($"topics: {what} refused, {error}");
        // Without a controller, as between two incarnations, nobody knows whether it was done: the client asks again.
        return error is ErrorCode.RequestTimedOut or ErrorCode.NotController
            || BrokerWorld.IsForWantOfMemory(kernel, error)
            || BrokerWorld.IsForWantOfBrokers(kernel, error)
            ? false
            : throw new ViolationException($"Topic {Topic}: {error} for a {what}");
    }
}
