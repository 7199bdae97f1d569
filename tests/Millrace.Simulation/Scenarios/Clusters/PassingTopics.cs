using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Topics that are made, written to and deleted again while the cluster is in trouble, some with records in WALs that are yet to be recovered. No two have
/// the same name. Those that are left must hold all that was acknowledged in the end, and of the others nothing may be there.
/// </summary>
/// <param name="kernel">Their world.</param>
/// <param name="toAny">Connects to any broker.</param>
/// <param name="toLeader">Connects to a partition's leader.</param>
internal sealed class PassingTopics(SimulationKernel kernel, Func<string, SimulatedClient> toAny, Func<string, PartitionOracle, SimulatedClient> toLeader)
{
    private const int MostPartitions = 3;
    private const double StaysForGood = 0.3;
    private const int PatienceMs = 10_000;
    private static readonly TimeSpan LongestUse = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan NeverForgotten = TimeSpan.FromDays(20);

    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SpokenVersions _versions = new(kernel.Random);
    private readonly List<TopicOracle> _topics = [];

    public async Task RunAsync(Func<bool> isOver)
    {
        var lane = kernel.World;
        while (!isOver())
        {
            var name = $"passing-{_topics.Count + 1}";
            var topic = await new StableTopic(kernel, lane, toAny(name))
                .CreateAsync(name, _random.Next(1, MostPartitions + 1), _topics.Count + 1);
            _topics.Add(topic);
            kernel.Coverage.Count("topics: created");
            var isLeft = false;
            var producers = topic.Partitions
                .Select(partition => new IdempotentProducer(
                    kernel, lane, toLeader($"{name}-{partition.Partition}", partition), partition, NeverForgotten).RunAsync(() => isLeft || isOver()))
                .ToList();
            await Task.Delay(_random.Between(TimeSpan.Zero, LongestUse), lane.Time);
            isLeft = true;
            foreach (var producer in producers)
            {
                await producer;
            }

            if (!_random.Chance(StaysForGood))
            {
                await DeleteAsync(topic);
            }
        }
    }

    /// <summary>All trouble is over, and the brokers agree.</summary>
    /// <param name="image">What they agree on.</param>
    /// <param name="streams">How many streams the controller knows.</param>
    public async Task AuditAsync(MetadataImage image, int streams)
    {
        foreach (var topic in _topics)
        {
            if (image.TryGetTopic(topic.Id, out _) == topic.IsDeleted)
            {
                throw new ViolationException($"Topic {topic.Name} {(topic.IsDeleted ? "was deleted, and is there" : "is gone, and nobody has deleted it")}");
            }
        }

        var partitions = image.Topics.Values.Sum(topic => topic.Partitions.Count);
        if (streams != partitions)
        {
            throw new ViolationException($"There are {streams} streams for {partitions} partitions");
        }

        foreach (var partition in _topics.Where(topic => !topic.IsDeleted).SelectMany(topic => topic.Partitions))
        {
            var client = toLeader($"audit-{partition.Topic.Name}-{partition.Partition}", partition);
            await new PartitionReader(kernel, client, _versions, partition).AuditAsync(kernel.World);
        }
    }

    private async Task DeleteAsync(TopicOracle topic)
    {
        var client = toAny($"{topic.Name}-deletes");
        topic.DeletionSent = true;
        while (!topic.IsDeleted)
        {
            try
            {
                var answer = await client.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
                    new DeleteTopicsRequest { TimeoutMs = PatienceMs, Topics = [new DeleteTopicsRequest.DeleteTopicState { TopicId = topic.Id }] },
                    _versions.DeleteTopics);
                var error = (ErrorCode)answer.Responses[0].ErrorCode;
                // It is unknown where a former request was done and not answered.
                topic.IsDeleted = error is ErrorCode.None or ErrorCode.UnknownTopicId;
                kernel.Coverage.Count(topic.IsDeleted ? "topics: deleted" : $"topics: delete refused, {error}");
                if (!topic.IsDeleted && error is not (ErrorCode.RequestTimedOut or ErrorCode.NotController))
                {
                    throw new ViolationException($"Topic {topic.Name}: {error} for a deletion");
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), kernel.World.Time);
        }
    }
}
