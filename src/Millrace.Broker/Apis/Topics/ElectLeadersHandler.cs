using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Topics;

/// <summary>ElectLeaders (key 43), v0–2.</summary>
/// <remarks>
/// v1: unclean elections, which mean the same here as preferred ones, and an error for the whole. The leader that is to hand over takes a moment for that: it
/// is waited for as long as the client lets it, and goes on when its time is up.
/// </remarks>
internal sealed class ElectLeadersHandler(NodeRuntime runtime, IMetadataFeed feed, ControllerDeeds deeds)
    : IApiHandler<ElectLeadersRequest, ElectLeadersResponse>
{
    private const short FirstWithErrorOfAll = 1;

    public static VersionRange Versions => new(0, 2);

    public void ReportErrors(ElectLeadersResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.ReplicaElectionResults.SelectMany(topic => topic.PartitionResult, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, ElectLeadersRequest request) => context.Access.Cluster(Operation.Alter);

    public ElectLeadersResponse Refuse(RequestContext context, ElectLeadersRequest request, ErrorCode error) =>
        new()
        {
            ErrorCode = context.ApiVersion >= FirstWithErrorOfAll ? (short)error : (short)ErrorCode.None,
            ReplicaElectionResults =
            [
                .. (request.TopicPartitions ?? []).Select(topic => new ElectLeadersResponse.ReplicaElectionResult
                {
                    Topic = topic.Topic,
                    PartitionResult =
                    [
                        .. topic.Partitions.Select(partition => new ElectLeadersResponse.PartitionResult { PartitionId = partition, ErrorCode = (short)error }),
                    ],
                }),
            ],
        };

    public async ValueTask<ElectLeadersResponse> HandleAsync(RequestContext context, ElectLeadersRequest request, CancellationToken token)
    {
        using var deadline = new RequestDeadline(runtime, TimeSpan.FromMilliseconds(request.TimeoutMs), token);
        var response = await deeds.DoAsync<ElectLeadersRequest, ElectLeadersResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
        deadline.AwaitOutcome();
        var awaited = response.ReplicaElectionResults
            .SelectMany(topic => topic.PartitionResult, (topic, partition) => (topic.Topic, Result: partition))
            .Where(one => one.Result.ErrorCode == (short)ErrorCode.None)
            .ToArray();
        try
        {
            await feed.WaitAsync(image => !Array.Exists(awaited, one => Find(image, one.Topic, one.Result) is { Moves: true }), deadline.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            // What is not done is told below.
        }

        var reached = feed.Image;
        var unavailable = request.ElectionType == 0 ? ErrorCode.PreferredLeaderNotAvailable : ErrorCode.EligibleLeadersNotAvailable;
        foreach (var (topic, result) in awaited)
        {
            var refusal = Judge(reached, Find(reached, topic, result), unavailable);
            (result.ErrorCode, result.ErrorMessage) = ((short)refusal.Error, refusal.Message);
        }

        deeds.TellElected(context, response);
        return response;
    }

    private static PartitionImage? Find(MetadataImage image, string topic, ElectLeadersResponse.PartitionResult result) =>
        image.TryGetTopic(topic, out var known) ? known.FindPartition(result.PartitionId) : null;

    private static (ErrorCode Error, string? Message) Judge(
        MetadataImage image, PartitionImage? partition, ErrorCode unavailable) => partition switch
    {
        null => (ErrorCode.UnknownTopicOrPartition, "The topic has been deleted meanwhile."),
        { Moves: true } => (
            ErrorCode.RequestTimedOut, $"Node {partition.Leader} has not handed it over to node {partition.PlannedTo} yet, and goes on doing so."),
        { Leader: null } => (unavailable, "Its leader was lost before it had handed it over."),
        _ when BrokerDuties.PreferredLeader(image, partition.Replicas) == partition.Leader => (ErrorCode.None, null),
        _ => (unavailable, $"The move was ended, and node {partition.Leader} leads it."),
    };
}
