using Microsoft.Extensions.Logging;
using Millrace.Metadata.Channel;
using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Broker.Following;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Data;

/// <summary>Produce (key 0), v3–13; v0–2 are advertised and refused.</summary>
/// <remarks>
/// v5: log start offset. v7: zstd. v8: which records were wrong. v10: leader hints (KIP-951). v11, v12: transactional. v13: topic ids.
/// v0–2 are advertised because old librdkafka takes their absence for a broker that knows no compression (KAFKA-18659); a
/// client that uses them is disconnected, as by Kafka.
/// acks=1 and acks=all mean the same: durable in shared storage. acks=0 gets no answer, and an error closes the connection.
/// The next request begins when this one has its offsets; it need not be durable.
/// A batch's time-out ends its wait to begin; once it has its offset it is waited for as <see cref="RequestDeadline"/> says, since
/// a producer that is told of a time-out sends it again.
/// </remarks>
internal sealed class ProduceHandler(NodeRuntime runtime, PartitionTable partitions, BatchIntake intake, DataMetrics metrics, IReadLease lease, RackReads racks)
    : IApiHandler<ProduceRequest, ProduceResponse>
{
    private const short FirstServed = 3;
    private const short FirstWithLeaderHints = 10;
    private const short FirstWithTopicIds = 13;

    // Whoever does not ask for acks=all has not thought of a timeout either.
    private static readonly TimeSpan PatienceWithoutAcks = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ProduceHandler>();

    public static VersionRange Versions => new(0, 13);

    public static bool OutlivesConnection => true;

    public void ReportErrors(ProduceResponse response, ErrorTally errors)
    {
        // By index, as in Fetch: an enumerator of a list behind an interface would be an allocation a request.
        for (var i = 0; i < response.Responses.Count; i++)
        {
            var answers = response.Responses[i].PartitionResponses;
            for (var j = 0; j < answers.Count; j++)
            {
                errors.Add(answers[j].ErrorCode);
            }
        }
    }

    public ErrorCode Authorize(RequestContext context, ProduceRequest request) =>
        context.Access.Topics(
            Operation.Write,
            request.TopicData.Select(topic => TopicOf(context, topic).NameIn(partitions.Image)).OfType<string>());

    public ProduceResponse Refuse(RequestContext context, ProduceRequest request, ErrorCode error)
    {
        if (request.Acks == 0 || context.ApiVersion < FirstServed)
        {
            // There is no answer to tell it by.
            context.Disconnect();
        }

        return Respond(request, (_, partition) => Refuse(partition.Index, error));
    }

    public async ValueTask<ProduceResponse> HandleAsync(RequestContext context, ProduceRequest request, CancellationToken token)
    {
        if (context.ApiVersion < FirstServed)
        {
            context.Disconnect();
            return new ProduceResponse();
        }

        if (request.Acks is not (-1 or 0 or 1))
        {
            return Respond(request, (_, partition) => Refuse(partition.Index, ErrorCode.InvalidRequiredAcks));
        }

        var patience = TimeSpan.FromMilliseconds(request.TimeoutMs);
        using var deadline = new RequestDeadline(runtime, request.Acks == -1 || patience > PatienceWithoutAcks ? patience : PatienceWithoutAcks, token);
        using var waiting = metrics.ProduceWaits();
        using var pass = new ProducePass(runtime, _logger, partitions, intake, metrics, request);
        await pass.AppendAsync(context, request, deadline);
        if (racks.Clients.IsElsewhere(racks.Clients.Of(context)))
        {
            racks.Metrics.Produced(pass.AppendedBytes);
        }

        context.AllowNext();
        deadline.AwaitOutcome();
        try
        {
            await pass.SettleAsync().OrCancelled(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // What is not settled is answered as timed out. It may become durable yet: the settling goes on.
        }

        return Respond(context, request, pass);
    }

    internal static TopicReference TopicOf(RequestContext context, ProduceRequest.TopicProduceData topic) =>
        new(topic.Name, topic.TopicId, IsById: context.ApiVersion >= FirstWithTopicIds);

    private ProduceResponse Respond(RequestContext context, ProduceRequest request, ProducePass pass)
    {
        if (request.Acks == 0)
        {
            context.SuppressResponse();
            if (pass.HasFailed)
            {
                context.Disconnect();
            }

            return new ProduceResponse();
        }

        var next = 0;
        var hints = new LeaderHints(partitions.Image, context.Connection.Listener);
        var response = Respond(request, (_, partition) =>
        {
            ref readonly var append = ref pass[next++];
            var outcome = OutcomeOf(append);
            var answer = Answer(partition.Index, append, outcome);
            if (context.ApiVersion >= FirstWithLeaderHints && hints.Add(outcome, append.Lookup) is var (leader, epoch))
            {
                answer.CurrentLeader = new ProduceResponse.LeaderIdAndEpoch { LeaderId = leader, LeaderEpoch = epoch };
            }

            return answer;
        });
        response.NodeEndpoints = hints.Leaders.Count == 0 ? [] :
        [
            .. hints.Leaders.Select(leader => new ProduceResponse.NodeEndpoint
            {
                NodeId = leader.Node.Id.Value,
                Host = leader.Endpoint.Host,
                Port = leader.Endpoint.Port,
                Rack = leader.Node.Rack,
            }),
        ];
        return response;
    }

    private static ProduceResponse Respond(
        ProduceRequest request,
        Func<ProduceRequest.TopicProduceData, ProduceRequest.PartitionProduceData, ProduceResponse.PartitionProduceResponse> answer)
    {
        var topics = new ProduceResponse.TopicProduceResponse[request.TopicData.Count];
        for (var i = 0; i < topics.Length; i++)
        {
            var topic = request.TopicData[i];
            var answers = new ProduceResponse.PartitionProduceResponse[topic.PartitionData.Count];
            for (var j = 0; j < answers.Length; j++)
            {
                answers[j] = answer(topic, topic.PartitionData[j]);
            }

            topics[i] = new ProduceResponse.TopicProduceResponse { Name = topic.Name, TopicId = topic.TopicId, PartitionResponses = answers };
        }

        return new ProduceResponse { Responses = topics };
    }

    /// <summary>What a producer has sent before is read from what this broker holds: without a lease its successor may know better.</summary>
    private PartitionError OutcomeOf(in ProducedPartition append) =>
        append.Outcome is PartitionError.OutOfOrderSequence or PartitionError.StaleProducerEpoch && !lease.IsHeld ? PartitionError.NotLeader : append.Outcome;

    private static ProduceResponse.PartitionProduceResponse Answer(int index, in ProducedPartition append, PartitionError outcome)
    {
        if (outcome == PartitionError.None)
        {
            return new ProduceResponse.PartitionProduceResponse
            {
                Index = index,
                BaseOffset = append.Pending.BaseOffset,
                LogAppendTimeMs = append.Pending.AppendTime,
                LogStartOffset = append.Lookup.Partition!.LogStartOffset,
            };
        }

        var answer = Refuse(index, KafkaErrorMap.ToErrorCode(outcome));
        if (append.Refusal is { } refusal)
        {
            answer.ErrorMessage = refusal.Message;
            answer.RecordErrors = refusal.Records;
        }

        return answer;
    }

    private static ProduceResponse.PartitionProduceResponse Refuse(int index, ErrorCode error) =>
        new() { Index = index, ErrorCode = (short)error, BaseOffset = -1, LogAppendTimeMs = -1, LogStartOffset = -1 };
}
