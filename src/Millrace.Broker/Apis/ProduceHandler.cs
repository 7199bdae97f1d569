using System.Buffers;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Metadata;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Streams;
using Microsoft.Extensions.Logging;

namespace Millrace.Broker.Apis;

/// <summary>Produce (key 0), v3–13; v0–2 are advertised and refused.</summary>
/// <remarks>
/// v5: log start offset. v7: zstd. v8: which records were wrong. v10: leader hints (KIP-951). v11, v12: transactional. v13: topic ids.
/// v0–2 are advertised because old librdkafka takes their absence for a broker that knows no compression (KAFKA-18659); a
/// client that uses them is disconnected, as by Kafka.
/// acks=1 and acks=all mean the same: durable in shared storage. acks=0 gets no answer, and an error closes the connection.
/// The next request begins when this one has its offsets; it need not be durable.
/// What fails unexpectedly is one partition's failure, and is answered as such; whatever was begun is waited for before anything leaves.
/// A batch's time-out ends its wait to begin; once it has its offset it is waited for as <see cref="RequestDeadline"/> says, since
/// a producer that is told of a time-out sends it again.
/// </remarks>
internal sealed class ProduceHandler(NodeRuntime runtime, PartitionTable partitions, BatchIntake intake, BrokerMetrics metrics)
    : IApiHandler<ProduceRequest, ProduceResponse>
{
    private const short FirstServed = 3;
    private const short FirstWithZstd = 7;
    private const short FirstWithLeaderHints = 10;
    private const short FirstWithTopicIds = 13;

    // Whoever does not ask for acks=all has not thought of a timeout either.
    private static readonly TimeSpan PatienceWithoutAcks = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ProduceHandler>();

    public static ApiVersionRange Versions => new(0, 13);

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
        var count = 0;
        foreach (var topic in request.TopicData)
        {
            count += topic.PartitionData.Count;
        }

        using var waiting = metrics.ProduceWaits();
        var appends = ArrayPool<ProducedPartition>.Shared.Rent(count);
        var settling = Task.CompletedTask;
        try
        {
            await AppendAsync(context, request, appends, deadline);
            context.AllowNext();
            deadline.AwaitOutcome();
            settling = SettleAsync(appends, count);
            try
            {
                await settling.OrCancelled(deadline.Token);
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                // What is not settled is answered as timed out. It may become durable yet: the settling goes on.
            }

            return Respond(context, request, appends, count);
        }
        finally
        {
            // While the settling goes on the array is its own, and the collector's afterwards.
            if (settling.IsCompleted)
            {
                appends.AsSpan(0, count).Clear();
                ArrayPool<ProducedPartition>.Shared.Return(appends);
            }
        }
    }

    /// <summary>Begins every append in the order of the request, then waits until each has its offsets or was refused.</summary>
    private async ValueTask AppendAsync(RequestContext context, ProduceRequest request, ProducedPartition[] appends, RequestDeadline deadline)
    {
        var now = runtime.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var begun = 0;
        try
        {
            foreach (var topic in request.TopicData)
            {
                var image = Find(context, topic);
                foreach (var partition in topic.PartitionData)
                {
                    ref var append = ref appends[begun];
                    append.Lookup = image is null
                        ? new PartitionLookup(context.ApiVersion >= FirstWithTopicIds ? PartitionError.UnknownTopicId : PartitionError.UnknownPartition, null, null)
                        : partitions.Find(image, partition.Index);
                    append.Error = image is { IsInternal: true } && context.ClientId != "__admin_client"
                        ? PartitionError.InternalTopic
                        : append.Lookup.Error;
                    if (append.Error == PartitionError.None)
                    {
                        Begin(context, partition, now, deadline, ref append);
                    }

                    begun++;
                }
            }
        }
        finally
        {
            for (var i = 0; i < begun; i++)
            {
                if (appends[i].Error == PartitionError.None)
                {
                    await BeganAsync(appends, i);
                }
            }
        }
    }

    private void Begin(
        RequestContext context, ProduceRequest.PartitionProduceData partition, long now, RequestDeadline deadline, ref ProducedPartition append)
    {
        var target = append.Lookup.Partition!;
        ProducedBatch batch;
        try
        {
            append.Error = intake.Check(
                partition.Records, context.Frame, context.ApiVersion >= FirstWithZstd, target.Settings, now, out batch, out append.Refusal);
        }
        catch (Exception failure)
        {
            append.Error = Contain(failure, target, PartitionError.Failed);
            return;
        }

        if (append.Error == PartitionError.None)
        {
            (append.Records, append.Bytes) = (batch.Count, batch.Bytes.Length);
#pragma warning disable CA2012 // Awaited once, below: the partitions of a request begin together, so that a parked one holds up no other.
            append.Beginning = target.AppendAsync(batch, fromReserve: false, deadline.Token);
#pragma warning restore CA2012
            if (!ReferenceEquals(batch.Buffer, context.Frame))
            {
                // What was stored in another form: the append holds it now, or is done with it.
                batch.Buffer.Release();
            }
        }
    }

    private async ValueTask BeganAsync(ProducedPartition[] appends, int index)
    {
        PendingAppend pending;
        try
        {
            pending = await appends[index].Beginning;
        }
        catch (Exception failure)
        {
            pending = PendingAppend.Refused(Contain(failure, appends[index].Lookup.Partition!, PartitionError.Failed));
        }

        ref var append = ref appends[index];
        append.Error = pending.Error;
        append.Pending = pending;
        if (pending.Error == PartitionError.None)
        {
            metrics.Produced(append.Records, append.Bytes);
        }
    }

    /// <summary>Keeps a failure from the request's other partitions; one that no partition can carry stops the node.</summary>
    private PartitionError Contain(Exception failure, Partition partition, PartitionError error)
    {
        if (failure is InvariantViolationException)
        {
            runtime.Fail(failure);
        }

        Log.ProduceFailed(_logger, partition.Id, error, failure);
        return error;
    }

    /// <summary>Waits until every append is durable or has failed.</summary>
    private async Task SettleAsync(ProducedPartition[] appends, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (appends[i].Error == PartitionError.None)
            {
                try
                {
                    await appends[i].Pending.Durable;
                }
                catch (StreamException)
                {
                    // Whether it is durable will show at the next owner. To the client that is a time-out: it must not conclude that it failed.
                    appends[i].Error = PartitionError.TimedOut;
                }
                catch (Exception failure)
                {
                    appends[i].Error = Contain(failure, appends[i].Lookup.Partition!, PartitionError.TimedOut);
                }
            }

            Volatile.Write(ref appends[i].Settled, true);
        }
    }

    private TopicImage? Find(RequestContext context, ProduceRequest.TopicProduceData topic)
    {
        var image = partitions.Image;
        return context.ApiVersion >= FirstWithTopicIds
            ? image.TryGetTopic(topic.TopicId, out var byId) ? byId : null
            : image.TryGetTopic(topic.Name, out var byName) ? byName : null;
    }

    private ProduceResponse Respond(RequestContext context, ProduceRequest request, ProducedPartition[] appends, int count)
    {
        if (request.Acks == 0)
        {
            var failed = false;
            for (var i = 0; i < count; i++)
            {
                failed |= appends[i].Outcome != PartitionError.None;
            }

            context.SuppressResponse();
            if (failed)
            {
                context.Disconnect();
            }

            return new ProduceResponse();
        }

        var image = partitions.Image;
        var next = 0;
        List<ProduceResponse.NodeEndpoint>? endpoints = null;
        var response = Respond(request, (_, partition) =>
        {
            ref readonly var append = ref appends[next++];
            var answer = Answer(partition.Index, append);
            if (context.ApiVersion >= FirstWithLeaderHints && LeaderHint.For(append.Outcome, append.Lookup, image) is { } hint)
            {
                answer.CurrentLeader = new ProduceResponse.LeaderIdAndEpoch { LeaderId = hint.Node.Id.Value, LeaderEpoch = hint.LeaderEpoch };
                endpoints ??= [];
                if (!endpoints.Exists(endpoint => endpoint.NodeId == hint.Node.Id.Value))
                {
                    endpoints.Add(new ProduceResponse.NodeEndpoint
                    {
                        NodeId = hint.Node.Id.Value,
                        Host = hint.Node.Host,
                        Port = hint.Node.Port,
                        Rack = hint.Node.Rack,
                    });
                }
            }

            return answer;
        });
        response.NodeEndpoints = endpoints ?? [];
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

    private static ProduceResponse.PartitionProduceResponse Answer(int index, in ProducedPartition append)
    {
        var outcome = append.Outcome;
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
