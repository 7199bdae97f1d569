using Millrace.Controller.Topics;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Xunit;
using CreatableTopic = Millrace.Protocol.CreateTopicsRequest.CreatableTopic;

namespace Millrace.Tests.Controller.Topics;

public sealed class TopicAdministrationTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _node;

    public TopicAdministrationTests() => _node = _script.Register();

    [Fact]
    public void A_created_topic_has_streams_leaders_and_configs_and_keeps_the_replication_factor_asked_for()
    {
        var result = Create(new CreatableTopic
        {
            Name = "t",
            NumPartitions = 3,
            ReplicationFactor = 3,
            Configs = [new CreateTopicsRequest.CreatableTopicConfig { Name = "retention.ms", Value = "1000" }],
        });

        Assert.Equal((ErrorCode.None, 3, (short)3), ((ErrorCode)result.ErrorCode, result.NumPartitions, result.ReplicationFactor));
        var config = Assert.Single(result.Configs!, config => config.Name == "retention.ms");
        Assert.Equal(("1000", (sbyte)ConfigSource.Topic), (config.Value, config.ConfigSource));
        var topic = _script.State.Cluster.Topics["t"];
        Assert.Equal(topic.Id, result.TopicId);
        Assert.Equal([0L, 1, 2], topic.Partitions.Select(partition => partition.Stream.Value));
        Assert.All(topic.Partitions, partition => Assert.Equal((_node.Node, 0), (partition.Leader!.Value, partition.LeaderEpoch)));
        // The node there is, and the places of the next two that will come, of which clients are not told.
        Assert.All(topic.Partitions, partition => Assert.Equal([new NodeId(0), new NodeId(1), new NodeId(2)], partition.Replicas));
        Assert.Equal([_node.Node], _script.State.Cluster.InSyncReplicas(topic.Partitions[0]));
        Assert.Equal([_node.Node], _script.State.Cluster.Replicas(topic.Partitions[0]));
        Assert.Empty(_script.State.Cluster.OfflineReplicas(topic.Partitions[0]));
    }

    [Theory]
    [InlineData("", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("..", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("sp ace", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("a_b", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("a.b", 1, 1, ErrorCode.TopicAlreadyExists)]
    [InlineData("t", 0, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", -2, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", 10_001, 1, ErrorCode.PolicyViolation)]
    [InlineData("t", 1, 0, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", 1, -2, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", 1, 33, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", -1, -1, ErrorCode.None)]
    public void A_topic_is_refused_with_Kafkas_errors(string name, int partitions, short factor, ErrorCode expected)
    {
        _script.CreateTopic("a.b");

        var result = Create(new CreatableTopic { Name = name, NumPartitions = partitions, ReplicationFactor = factor });

        Assert.Equal(expected, (ErrorCode)result.ErrorCode);
        Assert.Equal(expected == ErrorCode.None ? 2 : 1, _script.State.Cluster.Topics.Count);
    }

    [Theory]
    [InlineData("no.such", "1", ErrorCode.InvalidConfig)]
    [InlineData("retention.ms", null, ErrorCode.InvalidConfig)]
    [InlineData("retention.ms", "x", ErrorCode.InvalidConfig)]
    public void A_bad_config_refuses_the_topic(string name, string? value, ErrorCode expected)
    {
        var result = Create(new CreatableTopic
        {
            Name = "t",
            NumPartitions = 1,
            ReplicationFactor = 1,
            Configs = [new CreateTopicsRequest.CreatableTopicConfig { Name = name, Value = value }],
        });

        Assert.Equal(expected, (ErrorCode)result.ErrorCode);
        Assert.Empty(_script.State.Cluster.Topics);
    }

    [Fact]
    public void Each_topic_is_answered_by_itself_in_the_order_asked_and_duplicates_once()
    {
        var response = CreateAll(
            validateOnly: false, Plain("b"), Plain("?"), Plain("twice"), Plain("a"), Plain("twice"));

        Assert.Equal(
            [("b", ErrorCode.None), ("?", ErrorCode.InvalidTopicException), ("twice", ErrorCode.InvalidRequest), ("a", ErrorCode.None)],
            response.Topics.Select(topic => (topic.Name, (ErrorCode)topic.ErrorCode)));
        Assert.Equal(["a", "b"], _script.State.Cluster.Topics.Keys);
    }

    [Fact]
    public void A_rehearsal_creates_nothing()
    {
        var result = Assert.Single(CreateAll(validateOnly: true, Plain("t")).Topics);

        Assert.Equal((ErrorCode.None, 1), ((ErrorCode)result.ErrorCode, result.NumPartitions));
        Assert.Empty(_script.State.Cluster.Topics);
        Assert.Empty(_script.State.Streams.Streams);
    }

    [Theory]
    [InlineData(ErrorCode.None, new[] { 0, 1 }, new[] { 0 }, new[] { 0 })]
    [InlineData(ErrorCode.InvalidReplicaAssignment, new[] { 0, 2 }, new[] { 0 }, new[] { 0 })]
    [InlineData(ErrorCode.InvalidReplicaAssignment, new[] { 0, 0 }, new[] { 0 }, new[] { 0 })]
    [InlineData(ErrorCode.InvalidReplicaAssignment, new[] { 0, 1 }, new[] { 0 }, new[] { 7 })]
    [InlineData(ErrorCode.InvalidReplicaAssignment, new[] { 0, 1 }, new[] { 0 }, new int[0])]
    [InlineData(ErrorCode.InvalidReplicaAssignment, new[] { 0, 1 }, new[] { 0 }, new[] { 0, 0 })]
    public void A_manual_assignment_is_checked(ErrorCode expected, int[] indexes, int[] first, int[] second)
    {
        var result = Create(new CreatableTopic
        {
            Name = "t",
            NumPartitions = -1,
            ReplicationFactor = -1,
            Assignments =
            [
                new CreateTopicsRequest.CreatableReplicaAssignment { PartitionIndex = indexes[0], BrokerIds = first },
                new CreateTopicsRequest.CreatableReplicaAssignment { PartitionIndex = indexes[1], BrokerIds = second },
            ],
        });

        Assert.Equal(expected, (ErrorCode)result.ErrorCode);
    }

    [Fact]
    public void The_offsets_topic_gets_its_own_defaults()
    {
        var result = Create(new CreatableTopic { Name = InternalTopics.ConsumerOffsets, NumPartitions = -1, ReplicationFactor = -1 });

        Assert.Equal((50, (short)3), (result.NumPartitions, result.ReplicationFactor));
        Assert.Equal("compact", _script.State.Cluster.Topics[InternalTopics.ConsumerOffsets].Configs["cleanup.policy"]);
    }

    [Fact]
    public void A_topic_is_deleted_by_name_or_id_and_its_streams_with_it()
    {
        _script.CreateTopic("byname", partitions: 2);
        var id = _script.CreateTopic("byid").Id;

        var response = Delete(
            new() { Name = "byname" },
            new() { TopicId = id },
            new() { Name = "absent" },
            new() { TopicId = new Guid(9, 9, 9, new byte[8]) },
            new(),
            new() { Name = "byname", TopicId = id });

        Assert.Equal(
            [
                ErrorCode.None, ErrorCode.None, ErrorCode.UnknownTopicOrPartition, ErrorCode.UnknownTopicId, ErrorCode.InvalidRequest,
                ErrorCode.InvalidRequest,
            ],
            response.Responses.Select(topic => (ErrorCode)topic.ErrorCode));
        Assert.Equal("byid", response.Responses[1].Name);
        Assert.Empty(_script.State.Cluster.Topics);
        Assert.Empty(_script.State.Streams.Streams);
    }

    [Fact]
    public void A_topic_named_twice_is_not_deleted()
    {
        var id = _script.CreateTopic("t").Id;

        var response = Delete(new() { Name = "t" }, new() { TopicId = id });

        Assert.All(response.Responses, topic => Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)topic.ErrorCode));
        Assert.Single(_script.State.Cluster.Topics);
    }

    [Fact]
    public void A_recreated_topic_has_another_id_and_other_streams()
    {
        var first = _script.CreateTopic("t");
        _script.DeleteTopic("t");
        var second = _script.CreateTopic("t");

        Assert.NotEqual(first.Id, second.Id);
        Assert.NotEqual(first.Partitions[0].Stream, second.Partitions[0].Stream);
        var delta = MetadataDelta.Between(
            MetadataImage.Empty with { Topics = MetadataImage.Empty.Topics.Add("t", first) }, _script.State.Cluster);
        Assert.Equal([second], delta.ChangedTopics);
        Assert.Equal([first], delta.DeletedTopics);
    }

    [Theory]
    [InlineData("t", 2, ErrorCode.InvalidPartitions)]
    [InlineData("t", 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", -5, ErrorCode.InvalidPartitions)]
    [InlineData("t", 20_000, ErrorCode.PolicyViolation)]
    [InlineData("absent", 5, ErrorCode.UnknownTopicOrPartition)]
    [InlineData("t", 5, ErrorCode.None)]
    public void A_topic_only_grows(string name, int count, ErrorCode expected)
    {
        _script.CreateTopic("t", partitions: 2);

        var result = Grow(new() { Name = name, Count = count, Assignments = null });

        Assert.Equal(expected, (ErrorCode)result.ErrorCode);
        Assert.Equal(expected == ErrorCode.None ? 5 : 2, _script.State.Cluster.Topics["t"].Partitions.Count);
        Assert.Equal(_script.State.Cluster.Topics["t"].Partitions.Count, _script.State.Streams.Streams.Count);
    }

    [Theory]
    [InlineData(1, ErrorCode.InvalidReplicaAssignment)]
    [InlineData(2, ErrorCode.None)]
    public void A_manual_assignment_covers_just_the_new_partitions(int assignments, ErrorCode expected)
    {
        _script.CreateTopic("t", partitions: 2);

        var result = Grow(new()
        {
            Name = "t",
            Count = 4,
            Assignments = [.. Enumerable.Repeat(new CreatePartitionsRequest.CreatePartitionsAssignment { BrokerIds = [0] }, assignments)],
        });

        Assert.Equal(expected, (ErrorCode)result.ErrorCode);
    }

    [Theory]
    [InlineData(new[] { 0, 1, 2 }, ErrorCode.None)]
    [InlineData(new[] { 0 }, ErrorCode.None)]
    [InlineData(new[] { 0, 1 }, ErrorCode.InvalidReplicaAssignment)]
    [InlineData(new[] { 0, 1, 3 }, ErrorCode.InvalidReplicaAssignment)]
    public void A_topic_with_more_replicas_than_nodes_grows_with_as_many_as_asked_for_or_described(int[] replicas, ErrorCode expected)
    {
        Create(new CreatableTopic { Name = "t", NumPartitions = 1, ReplicationFactor = 3 });

        var automatic = Grow(new() { Name = "t", Count = 2, Assignments = null });
        var manual = Grow(new() { Name = "t", Count = 3, Assignments = [new() { BrokerIds = replicas }] });

        Assert.Equal((ErrorCode.None, expected), ((ErrorCode)automatic.ErrorCode, (ErrorCode)manual.ErrorCode));
        Assert.All(
            _script.State.Cluster.Topics["t"].Partitions, partition => Assert.Equal([_node.Node], _script.State.Cluster.Replicas(partition)));
    }

    [Fact]
    public void An_internal_topic_neither_grows_nor_goes()
    {
        Create(new CreatableTopic { Name = InternalTopics.ConsumerOffsets, NumPartitions = 3, ReplicationFactor = 1 });

        var grown = Grow(new() { Name = InternalTopics.ConsumerOffsets, Count = 5, Assignments = null });
        var deleted = Assert.Single(Delete(new DeleteTopicsRequest.DeleteTopicState { Name = InternalTopics.ConsumerOffsets }).Responses);

        Assert.Equal(
            (ErrorCode.InvalidTopicException, ErrorCode.InvalidTopicException), ((ErrorCode)grown.ErrorCode, (ErrorCode)deleted.ErrorCode));
        Assert.Contains("would be lost", grown.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(3, _script.State.Cluster.Topics[InternalTopics.ConsumerOffsets].Partitions.Count);
    }

    [Theory]
    [InlineData(0, "delete")]
    [InlineData(0, "compact,delete")]
    [InlineData(0, "")]
    [InlineData(1, null)]
    [InlineData(2, "delete")]
    [InlineData(3, "compact")]
    public void An_internal_topic_stays_compacted(sbyte operation, string? value)
    {
        Create(new CreatableTopic { Name = InternalTopics.ConsumerOffsets, NumPartitions = 1, ReplicationFactor = 1 });

        var altered = Alter(validateOnly: false, Resource(2, InternalTopics.ConsumerOffsets, (TopicConfigs.CleanupPolicy, operation, value)));
        Replace(false, InternalTopics.ConsumerOffsets, ("retention.ms", "1"));

        Assert.Equal(ErrorCode.InvalidConfig, (ErrorCode)Assert.Single(altered.Responses).ErrorCode);
        Assert.Equal("compact", _script.State.Cluster.Topics[InternalTopics.ConsumerOffsets].Configs[TopicConfigs.CleanupPolicy]);
    }

    [Fact]
    public void An_internal_topic_cannot_be_created_with_retention()
    {
        var result = Create(new CreatableTopic
        {
            Name = InternalTopics.ConsumerOffsets,
            NumPartitions = 1,
            ReplicationFactor = 1,
            Configs = [new CreateTopicsRequest.CreatableTopicConfig { Name = TopicConfigs.CleanupPolicy, Value = "delete" }],
        });

        Assert.Equal(ErrorCode.InvalidConfig, (ErrorCode)result.ErrorCode);
    }

    [Fact]
    public void Of_a_config_given_twice_the_last_value_counts()
    {
        Create(new CreatableTopic
        {
            Name = "t",
            NumPartitions = 1,
            ReplicationFactor = 1,
            Configs = [new() { Name = "retention.ms", Value = "x" }, new() { Name = "retention.ms", Value = "6" }],
        });

        Assert.Equal("6", _script.State.Cluster.Topics["t"].Configs["retention.ms"]);
    }

    [Fact]
    public void A_replacement_leaves_a_topic_with_just_the_configs_it_names()
    {
        _script.CreateTopic("t");
        Replace(false, "t", ("retention.ms", "5"), ("flush.ms", "9"));

        var rehearsal = Replace(true, "t", ("flush.ms", "7"));
        Assert.Equal(["flush.ms", "retention.ms"], _script.State.Cluster.Topics["t"].Configs.Keys);
        var bad = Replace(false, "t", ("flush.ms", "x"));
        Assert.Equal(2, _script.State.Cluster.Topics["t"].Configs.Count);
        var good = Replace(false, "t", ("flush.ms", "8"));

        Assert.Equal((ErrorCode.None, ErrorCode.InvalidConfig, ErrorCode.None), (rehearsal, bad, good));
        Assert.Equal([KeyValuePair.Create("flush.ms", "8")], _script.State.Cluster.Topics["t"].Configs);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, Replace(false, "absent"));
    }

    [Theory]
    [InlineData("retention.ms", 0, "5", ErrorCode.None, "5")]
    [InlineData("retention.ms", 0, "x", ErrorCode.InvalidConfig, null)]
    [InlineData("retention.ms", 0, null, ErrorCode.InvalidRequest, null)]
    [InlineData("retention.ms", 1, null, ErrorCode.None, null)]
    [InlineData("retention.ms", 2, "5", ErrorCode.InvalidConfig, null)]
    [InlineData("retention.ms", 9, "5", ErrorCode.InvalidRequest, null)]
    [InlineData("no.such", 0, "5", ErrorCode.InvalidConfig, null)]
    [InlineData("no.such", 2, "5", ErrorCode.InvalidConfig, null)]
    [InlineData("cleanup.policy", 2, "compact", ErrorCode.None, "delete,compact")]
    [InlineData("cleanup.policy", 3, "delete", ErrorCode.None, "")]
    public void A_topics_configs_change_step_by_step(string name, sbyte operation, string? value, ErrorCode expected, string? after)
    {
        _script.CreateTopic("t");

        var response = Alter(validateOnly: false, Resource(2, "t", (name, operation, value)));

        Assert.Equal(expected, (ErrorCode)Assert.Single(response.Responses).ErrorCode);
        Assert.Equal(after, _script.State.Cluster.Topics["t"].Configs.GetValueOrDefault(name));
    }

    [Fact]
    public void A_resources_changes_all_count_or_none()
    {
        _script.CreateTopic("t");

        var response = Alter(
            validateOnly: false,
            Resource(2, "t", ("retention.ms", 0, "5"), ("no.such", 0, "1")),
            Resource(2, "absent", ("retention.ms", 0, "5")),
            Resource(4, "", ("log.retention.ms", 0, "7")),
            Resource(4, "0", ("broker.rack", 0, "r")),
            Resource(4, "x", ("log.retention.ms", 0, "7")),
            Resource(32, "g", ("a", 0, "b")));

        Assert.Equal(
            [
                ErrorCode.InvalidConfig, ErrorCode.UnknownTopicOrPartition, ErrorCode.None, ErrorCode.InvalidRequest, ErrorCode.InvalidRequest,
                ErrorCode.InvalidRequest,
            ],
            response.Responses.Select(item => (ErrorCode)item.ErrorCode));
        Assert.Empty(_script.State.Cluster.Topics["t"].Configs);
        Assert.Equal("7", _script.State.Cluster.BrokerConfigs[MetadataImage.AllBrokers]["log.retention.ms"]);
        var effective = ClusterScript.Configs.Topic(_script.State.Cluster, _script.State.Cluster.Topics["t"], TopicConfigs.Find("retention.ms")!);
        Assert.Equal(("7", ConfigSource.DynamicBroker), (effective.Value, effective.Source));
    }

    [Fact]
    public void A_broker_takes_a_config_that_is_not_known_and_no_bad_value()
    {
        Assert.Equal(
            ErrorCode.InvalidRequest,
            (ErrorCode)Assert.Single(Alter(validateOnly: false, Resource(4, "0", ("max.connections", 0, "x"))).Responses).ErrorCode);
        Assert.Equal(ErrorCode.None, (ErrorCode)Assert.Single(Alter(validateOnly: false, Resource(4, "", ("no.such", 0, "1"))).Responses).ErrorCode);
    }

    [Fact]
    public void A_resource_or_a_config_named_twice_is_refused_and_a_rehearsal_changes_nothing()
    {
        _script.CreateTopic("t");

        var twice = Alter(validateOnly: false, Resource(2, "t", ("retention.ms", 0, "5")), Resource(2, "t", ("retention.ms", 0, "6")));
        var key = Alter(validateOnly: false, Resource(2, "t", ("retention.ms", 0, "5"), ("retention.ms", 0, "6")));
        var rehearsal = Alter(validateOnly: true, Resource(2, "t", ("retention.ms", 0, "5")));

        Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)Assert.Single(twice.Responses).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)Assert.Single(key.Responses).ErrorCode);
        Assert.Equal(ErrorCode.None, (ErrorCode)Assert.Single(rehearsal.Responses).ErrorCode);
        Assert.Empty(_script.State.Cluster.Topics["t"].Configs);
    }

    [Fact]
    public void Producer_id_blocks_follow_one_another_and_go_to_live_incarnations_only()
    {
        var first = Allocate(_node);
        var second = Allocate(_node);
        _script.Register();
        var stale = Allocate(_node);
        var unknown = _script.Do(entry => ProducerIds.Allocate(entry, new AllocateProducerIdsRequest { BrokerId = 9 }));

        Assert.Equal((0L, 1_000), (first.ProducerIdStart, first.ProducerIdLen));
        Assert.Equal(1_000, second.ProducerIdStart);
        Assert.Equal(ErrorCode.StaleBrokerEpoch, (ErrorCode)stale.ErrorCode);
        Assert.Equal(ErrorCode.BrokerIdNotRegistered, (ErrorCode)unknown.ErrorCode);
    }

    private static CreatableTopic Plain(string name) => new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 };

    private static IncrementalAlterConfigsRequest.AlterConfigsResource Resource(
        sbyte type, string name, params (string Name, sbyte Operation, string? Value)[] configs) =>
        new()
        {
            ResourceType = type,
            ResourceName = name,
            Configs =
            [
                .. configs.Select(config => new IncrementalAlterConfigsRequest.AlterableConfig
                {
                    Name = config.Name,
                    ConfigOperation = config.Operation,
                    Value = config.Value,
                }),
            ],
        };

    private CreateTopicsResponse.CreatableTopicResult Create(CreatableTopic topic) => Assert.Single(CreateAll(validateOnly: false, topic).Topics);

    private CreateTopicsResponse CreateAll(bool validateOnly, params CreatableTopic[] topics) =>
        _script.Do(entry => new TopicCreation(ClusterScript.Configs, _script.Random)
            .Create(entry, new CreateTopicsRequest { Topics = topics, ValidateOnly = validateOnly }));

    private DeleteTopicsResponse Delete(params DeleteTopicsRequest.DeleteTopicState[] topics) =>
        _script.Do(entry => new TopicDeletion(isEnabled: true).Delete(entry, new DeleteTopicsRequest { Topics = topics }));

    private CreatePartitionsResponse.CreatePartitionsTopicResult Grow(CreatePartitionsRequest.CreatePartitionsTopic topic) =>
        Assert.Single(_script.Do(entry => PartitionCreation.Create(entry, new CreatePartitionsRequest { Topics = [topic] })).Results);

    private IncrementalAlterConfigsResponse Alter(bool validateOnly, params IncrementalAlterConfigsRequest.AlterConfigsResource[] resources) =>
        _script.Do(entry => new ConfigChanges(ClusterScript.Configs)
            .Alter(entry, new IncrementalAlterConfigsRequest { Resources = resources, ValidateOnly = validateOnly }));

    private ErrorCode Replace(bool validateOnly, string topic, params (string Name, string Value)[] configs) =>
        (ErrorCode)Assert.Single(_script.Do(entry => new ConfigReplacement(new ConfigChanges(ClusterScript.Configs)).Replace(entry, new AlterConfigsRequest
        {
            ValidateOnly = validateOnly,
            Resources =
            [
                new()
                {
                    ResourceType = 2,
                    ResourceName = topic,
                    Configs = [.. configs.Select(config => new AlterConfigsRequest.AlterableConfig { Name = config.Name, Value = config.Value })],
                },
            ],
        })).Responses).ErrorCode;

    private AllocateProducerIdsResponse Allocate(NodeIncarnation node) =>
        _script.Do(entry => ProducerIds.Allocate(
            entry, new AllocateProducerIdsRequest { BrokerId = node.Node.Value, BrokerEpoch = node.Epoch.Value }));
}
