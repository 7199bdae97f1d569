using System.Buffers;
using Millrace.Broker.Errors;
using Millrace.Broker.Following;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Apis.Data;

/// <summary>Fetch (key 1), v4–18.</summary>
/// <remarks>
/// v4: isolation level. v5: log start offset. v7: sessions (KIP-227). v9: leader epochs. v11: racks. v12: diverging epochs.
/// v13: topic ids. v16: leader hints (KIP-951). v17, v18: for replicas.
/// Sessions are never granted: session id 0 is a legal answer to a client that asks for one, and every full fetch is answered in
/// full. Without transactions the last stable offset is the high watermark.
/// A consumer whose rack is another than the leader's is sent to a broker of its own, which follows the partition for it (KIP-392).
/// Answered at once when there are min bytes, an error, records that the next fetch finds (left out for want of room, or not in
/// memory yet), or nothing to wait for; else when enough has become readable or the time is up.
/// </remarks>
internal sealed class FetchHandler(
    NodeRuntime runtime, PartitionTable partitions, FetchPurgatory purgatory, FetchLimit limit, DataMetrics metrics, RackReads racks)
    : IApiHandler<FetchRequest, FetchResponse>
{
    private const sbyte ReadUncommitted = 0;
    private const sbyte ReadCommitted = 1;
    private const short FirstWithRacks = 11;
    private const short FirstWithTopicIds = 13;
    private const short FirstWithLeaderHints = 16;
    private const short FirstWithStorageError = 6;

    // A partition that opens keeps the others of the request waiting: not for longer than consumers usually wait for data.
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromMilliseconds(500);

    // For a newer image, or for a leader that is to be followed: a client had better ask anew than wait for these.
    private static readonly TimeSpan LongestSearch = TimeSpan.FromSeconds(2);

    public static VersionRange Versions => new(4, 18);

    /// <summary>How long its client lets it wait.</summary>
    public static TimeSpan PatienceOf(FetchRequest request) =>
        TimeSpan.FromMilliseconds(request.MaxWaitMs) is var patience && patience > OpeningPatience ? patience : OpeningPatience;

    public void ReportErrors(FetchResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        for (var i = 0; i < response.Responses.Count; i++)
        {
            var answers = response.Responses[i].Partitions;
            for (var j = 0; j < answers.Count; j++)
            {
                errors.Add(answers[j].ErrorCode);
            }
        }
    }

    public ErrorCode Authorize(RequestContext context, FetchRequest request) =>
        context.Access.Topics(
            Operation.Read,
            request.Topics.Select(topic => TopicOf(context, topic).NameIn(partitions.Image)).OfType<string>());

    public FetchResponse Refuse(RequestContext context, FetchRequest request, ErrorCode error) => new()
    {
        ErrorCode = (short)(error == ErrorCode.NotLeaderOrFollower ? ErrorCode.None : error),
        // Clients older than topic ids look at the partitions' errors; and for a partition's alone does any ask anew who leads it.
        Responses = context.ApiVersion >= FirstWithTopicIds && error != ErrorCode.NotLeaderOrFollower ? [] :
        [
            .. request.Topics.Select(topic => new FetchResponse.FetchableTopicResponse
            {
                Topic = topic.Topic,
                TopicId = topic.TopicId,
                Partitions =
                [
                    .. topic.Partitions.Select(partition => new FetchResponse.PartitionData
                    {
                        PartitionIndex = partition.Partition,
                        ErrorCode = (short)error,
                        HighWatermark = -1,
                    }),
                ],
            }),
        ],
    };

    public async ValueTask<FetchResponse> HandleAsync(RequestContext context, FetchRequest request, CancellationToken token)
    {
        if (request.IsolationLevel is not (ReadUncommitted or ReadCommitted))
        {
            return Refuse(context, request, ErrorCode.UnknownServerError);
        }

        // Epochs 0 and -1 ask for everything, with or without a session; others go on with a session, and there is none.
        if (request.SessionEpoch > 0 || request.SessionEpoch < -1)
        {
            return new FetchResponse { ErrorCode = (short)ErrorCode.FetchSessionIdNotFound };
        }

        var began = runtime.Time.GetTimestamp();
        var patience = TimeSpan.FromMilliseconds(Math.Max(0, request.MaxWaitMs));
        var rack = racks.Clients.Of(context, request.RackId);
        if (rack is not null && IsAhead(context, request, partitions.Image))
        {
            // Who was sent here by a leader may know of it before this broker does.
            await racks.WhenAsync(image => !IsAhead(context, request, image), Least(PatienceOf(request), LongestSearch), token);
        }

        var fetch = new FetchPass(FindPartitions(context, request, context.ApiVersion >= FirstWithRacks ? rack : null), limit, request.MaxBytes);
        context.ReleaseAfterResponse(fetch);
        await partitions.WhenOpenAsync(
            fetch.Partitions.Select(wanted => wanted.Lookup.Partition), PatienceOf(request), token);
        await racks.Followed.WhenHeardAsync(fetch.Partitions.Select(wanted => wanted.Followed), Least(PatienceOf(request), LongestSearch), token);
        await fetch.ReadAsync(token);

        var missing = Math.Min(request.MinBytes, fetch.MaxBytes) - fetch.Bytes;
        var left = patience - runtime.Time.GetElapsedTime(began);
        if (Array.Exists(fetch.Partitions, static wanted => wanted.Followed is not null))
        {
            // By then its leader is heard, or it is for the client to ask that itself.
            left = Least(left, FollowedPartition.LongestSilence);
        }

        if (missing > 0 && left > TimeSpan.Zero && fetch.MayWait)
        {
            fetch.Release();
            await purgatory.WaitAsync(fetch.Watch(missing), left, token);
            await fetch.ReadAsync(token);
        }

        metrics.Fetched(fetch.Bytes);
        fetch.CountTraffic();
        if (racks.Clients.IsElsewhere(rack))
        {
            racks.Metrics.Fetched(fetch.Bytes);
        }

        return Respond(context, request, fetch);
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TopicReference TopicOf(RequestContext context, FetchRequest.FetchTopic topic) =>
        new(topic.Topic, topic.TopicId, IsById: context.ApiVersion >= FirstWithTopicIds);

    /// <summary>Whether the client knows a newer leader of any partition than an image does.</summary>
    private static bool IsAhead(RequestContext context, FetchRequest request, MetadataImage image)
    {
        for (var i = 0; i < request.Topics.Count; i++)
        {
            var topic = request.Topics[i];
            var known = TopicOf(context, topic).FindIn(image);
            for (var j = 0; known is not null && j < topic.Partitions.Count; j++)
            {
                if (topic.Partitions[j].CurrentLeaderEpoch > known.FindPartition(topic.Partitions[j].Partition)?.LeaderEpoch)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private FetchedPartition[] FindPartitions(RequestContext context, FetchRequest request, string? rack)
    {
        var count = 0;
        foreach (var topic in request.Topics)
        {
            count += topic.Partitions.Count;
        }

        var wanted = new FetchedPartition[count];
        var next = 0;
        var image = partitions.Image;
        // Nobody replicates from here: who says that it does takes this node for a leader of replicas.
        var isReplica = request.ReplicaId >= 0 || request.ReplicaState is { ReplicaId: >= 0 };
        foreach (var topic in request.Topics)
        {
            var reference = TopicOf(context, topic);
            var known = reference.FindIn(image);
            foreach (var partition in topic.Partitions)
            {
                var lookup = known is null ? new PartitionLookup(reference.Absence, null, null)
                    : isReplica ? new PartitionLookup(PartitionError.NotLeader, null, known.FindPartition(partition.Partition))
                    : partitions.Find(known, partition.Partition);
                wanted[next++] = rack is null || isReplica || known is null || lookup.Known is not { } led ? new FetchedPartition(lookup, partition)
                    : lookup.Partition is not null
                        ? new FetchedPartition(lookup, partition) { SentTo = racks.Send(context.Connection, image, known.Id, led, rack) }
                        : new FetchedPartition(
                            lookup, partition, racks.Followed.Find(known, led.Index, rack, context.Connection.Listener, partition.FetchOffset));
            }
        }

        return wanted;
    }

    private FetchResponse Respond(RequestContext context, FetchRequest request, FetchPass fetch)
    {
        var image = partitions.Image;
        var topics = new FetchResponse.FetchableTopicResponse[request.Topics.Count];
        var hints = new LeaderHints(image, context.Connection.Listener);
        var next = 0;
        for (var i = 0; i < topics.Length; i++)
        {
            var topic = request.Topics[i];
            var answers = new FetchResponse.PartitionData[topic.Partitions.Count];
            for (var j = 0; j < answers.Length; j++)
            {
                var fetched = fetch.Partitions[next++];
                if (fetched.Read.Error == PartitionError.NotLeader && (fetched.Lookup.Partition?.Id ?? fetched.Followed?.Id) is { } left
                    && !image.TryGetTopic(left.TopicId, out _))
                {
                    // Deleted while the fetch waited: nobody leads it.
                    fetched.Read = PartitionRead.Failed(TopicOf(context, topic).Absence);
                }

                answers[j] = Answer(context, request, fetched);
                if (context.ApiVersion >= FirstWithLeaderHints && hints.Add(fetched.Read.Error, fetched.Lookup) is var (leader, epoch))
                {
                    answers[j].CurrentLeader = new FetchResponse.LeaderIdAndEpoch { LeaderId = leader, LeaderEpoch = epoch };
                }
            }

            topics[i] = new FetchResponse.FetchableTopicResponse { Topic = topic.Topic, TopicId = topic.TopicId, Partitions = answers };
        }

        return new FetchResponse
        {
            Responses = topics,
            NodeEndpoints = hints.Leaders.Count == 0 ? [] :
            [
                .. hints.Leaders.Select(leader => new FetchResponse.NodeEndpoint
                {
                    NodeId = leader.Node.Id.Value,
                    Host = leader.Endpoint.Host,
                    Port = leader.Endpoint.Port,
                    Rack = leader.Node.Rack,
                }),
            ],
        };
    }

    private static FetchResponse.PartitionData Answer(RequestContext context, FetchRequest request, FetchedPartition fetched)
    {
        var read = fetched.Read;
        var error = KafkaErrorMap.ToErrorCode(read.Error);
        var answer = new FetchResponse.PartitionData
        {
            PartitionIndex = fetched.Wanted.Partition,

            // Old clients do not know the code, and ask anew who leads instead.
            ErrorCode = (short)(error == ErrorCode.KafkaStorageError && context.ApiVersion < FirstWithStorageError ? ErrorCode.NotLeaderOrFollower : error),
            HighWatermark = read.HighWatermark,
            LastStableOffset = read.HighWatermark,
            LogStartOffset = read.LogStartOffset,
            AbortedTransactions = request.IsolationLevel == ReadCommitted && error == ErrorCode.None ? [] : null,
            PreferredReadReplica = fetched.SentTo is { } broker && error == ErrorCode.None && read.Diverging is null ? broker.Value : -1,
            Records = InOnePiece(read.Records),
        };
        if (read.Diverging is { } diverging)
        {
            answer.DivergingEpoch = new FetchResponse.EpochEndOffset { Epoch = diverging.Epoch, EndOffset = diverging.EndOffset };
        }

        return answer;
    }

    /// <summary>Batches that lie in several places, as one piece for the response: nothing is copied.</summary>
    internal static ReadOnlySequence<byte> InOnePiece(StreamRead? read)
    {
        if (read is not { Records: { Count: > 0 } records })
        {
            return ReadOnlySequence<byte>.Empty;
        }

        if (records.Count == 1)
        {
            return new ReadOnlySequence<byte>(records[0].Payload);
        }

        var joined = new JoinedMemory();
        for (var i = 0; i < records.Count; i++)
        {
            joined.Add(records[i].Payload);
        }

        return joined.ToSequence();
    }
}
