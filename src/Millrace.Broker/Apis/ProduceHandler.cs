using System.Buffers;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Metadata;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Apis;

/// <summary>Produce (key 0), v3–13; v0–2 are advertised and refused.</summary>
/// <remarks>
/// v5: log start offset. v7: zstd. v8: which records were wrong. v10: leader hints (KIP-951). v11, v12: transactional. v13: topic ids.
/// v0–2 are advertised because old librdkafka takes their absence for a broker that knows no compression (KAFKA-18659); a
/// client that uses them is disconnected, as by Kafka.
/// acks=1 and acks=all mean the same: durable in shared storage. acks=0 gets no answer, and an error closes the connection.
/// The next request begins when this one has its offsets; it need not be durable.
/// </remarks>
internal sealed class ProduceHandler(NodeRuntime runtime, PartitionTable partitions, BatchIntake intake, BrokerMetrics metrics)
    : IApiHandler<ProduceRequest, ProduceResponse>
{
    private const short FirstServed = 3;
    private const short FirstWithZstd = 7;
    private const short FirstWithLeaderHints = 10;
    private const short FirstWithTopicIds = 13;

    // Whoever does not ask for acks=all has not thought of a timeout either.
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(30);

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
        using var deadline = new RequestDeadline(runtime, request.Acks == -1 || patience > LeastPatience ? patience : LeastPatience, token);
        var count = 0;
        foreach (var topic in request.TopicData)
        {
            count += topic.PartitionData.Count;
        }

        var appends = ArrayPool<ProducedPartition>.Shared.Rent(count);
        using var waiting = metrics.ProduceWaits();
        await AppendAsync(context, request, appends, deadline);
        context.AllowNext();
        var settling = SettleAsync(appends, count);
        try
        {
            await settling.OrCancelled(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // What is not settled is answered as timed out. It may become durable yet: the settling goes on, and keeps the array.
        }

        var response = Respond(context, request, appends, count);
        if (settling.IsCompletedSuccessfully)
        {
            appends.AsSpan(0, count).Clear();
            ArrayPool<ProducedPartition>.Shared.Return(appends);
        }

        return response;
    }

    /// <summary>Begins every append in the order of the request, then waits until each has its offsets or was refused.</summary>
    private async ValueTask AppendAsync(RequestContext context, ProduceRequest request, ProducedPartition[] appends, RequestDeadline deadline)
    {
        var now = runtime.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var next = 0;
        foreach (var topic in request.TopicData)
        {
            var image = Find(context, topic);
            foreach (var partition in topic.PartitionData)
            {
                ref var append = ref appends[next++];
                append.Lookup = image is null
                    ? new PartitionLookup(context.ApiVersion >= FirstWithTopicIds ? PartitionError.UnknownTopicId : PartitionError.UnknownPartition, null, null)
                    : partitions.Find(image, partition.Index);
                append.Error = image is { IsInternal: true }
                    ? PartitionError.InternalTopic
                    : append.Lookup.Error;
                if (append.Error == PartitionError.None)
                {
                    Begin(context, partition, now, deadline, ref append);
                }
            }
        }

        for (var i = 0; i < next; i++)
        {
            if (appends[i].Error == PartitionError.None)
            {
                Began(ref appends[i], await appends[i].Beginning);
            }
        }
    }

    private void Begin(
        RequestContext context, ProduceRequest.PartitionProduceData partition, long now, RequestDeadline deadline, ref ProducedPartition append)
    {
        var target = append.Lookup.Partition!;
        var error = intake.Check(
            partition.Records, context.Frame, context.ApiVersion >= FirstWithZstd, target.Settings, now, out var batch, out append.Refusal);
        append.Error = error;
        if (error == PartitionError.None)
        {
            (append.Records, append.Bytes) = (batch.Count, batch.Bytes.Length);
            append.Recompressed = ReferenceEquals(batch.Buffer, context.Frame) ? null : batch.Buffer;
#pragma warning disable CA2012 // Awaited once, below: the partitions of a request begin together, so that a parked one holds up no other.
            append.Beginning = target.AppendAsync(batch, fromReserve: false, deadline.Token);
#pragma warning restore CA2012
        }
    }

    private void Began(ref ProducedPartition append, in PendingAppend pending)
    {
        append.Error = pending.Error;
        append.Pending = pending;
        if (pending.Error == PartitionError.None)
        {
            metrics.Produced(append.Records, append.Bytes);
        }

        // The stream has taken a hold of its own, or was never given the batch.
        append.Recompressed?.Release();
        append.Recompressed = null;
    }

    /// <summary>Waits until every append is durable or has failed.</summary>
    private static async Task SettleAsync(ProducedPartition[] appends, int count)
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
