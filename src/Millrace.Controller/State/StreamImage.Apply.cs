using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <content>How records change the image.</content>
internal sealed partial record StreamImage
{
    /// <summary>The image after a record; records of the cluster image change nothing here. A contradiction breaks an invariant.</summary>
    public StreamImage Apply(IRecord record) =>
        record switch
        {
            StreamStateRecord stream => Apply(stream),
            StreamOpenedRecord opened => With(
                Streams[new StreamId(opened.StreamId)].Open(
                    new StreamEpoch(opened.Epoch), new NodeIncarnation(new NodeId(opened.NodeId), new NodeEpoch(opened.NodeEpoch)),
                    WalName.FromNumber(opened.Wal))),
            StreamClosedRecord closed => With(Streams[new StreamId(closed.StreamId)].Close(new StreamEpoch(closed.Epoch), closed.EndOffset)),
            StreamDamagedRecord damaged => With(Streams[new StreamId(damaged.StreamId)].Damage(new StreamEpoch(damaged.Epoch))),
            StreamTrimmedRecord trimmed => With(Streams[new StreamId(trimmed.StreamId)].Trim(trimmed.StartOffset)),
            StreamRemovedRecord removed => Remove(new StreamId(removed.StreamId)),
            ObjectsPreparedRecord prepared => this with
            {
                Objects = Objects.Prepare(prepared),
                NextObjectId = Math.Max(NextObjectId, prepared.FirstObjectId + prepared.Count),
            },
            UploadCommittedRecord upload => Apply(upload),
            ObjectCompactedRecord compacted => Apply(compacted),
            ObjectsDeletingRecord deleting => this with
            {
                Objects = deleting.ObjectIds.Aggregate(
                    Objects, (objects, id) => objects.Delete(new ObjectId(id), new StoreId(deleting.StoreId), deleting.Time)),
            },
            ObjectsRemovedRecord removed => this with
            {
                Objects = removed.ObjectIds.Aggregate(Objects, (objects, id) => objects.Remove(new ObjectId(id), new StoreId(removed.StoreId))),
            },
            _ => this,
        };

    private StreamImage Apply(StreamStateRecord record)
    {
        var stream = StreamState.From(record);
        Invariant.Check(!Streams.ContainsKey(stream.Id));
        return With(stream) with { NextStreamId = Math.Max(NextStreamId, record.StreamId + 1) };
    }

    private StreamImage Apply(UploadCommittedRecord record)
    {
        var objects = record.Objects.Aggregate(Objects, (image, committed) => image.Commit(committed));
        var streams = Streams.ToBuilder();
        var references = new ReferenceCount();
        var upload = new UploadReader(record);
        while (upload.TryReadStream(out var id))
        {
            var former = streams[id];
            var range = upload.ReadRange(former.CommittedEnd);
            var stream = former.Commit(range);
            references.Commit(former, stream, range);
            streams[id] = stream;
        }

        return this with { Streams = streams.ToImmutable(), Objects = references.ApplyTo(objects) };
    }

    private StreamImage Apply(ObjectCompactedRecord record)
    {
        var streams = Streams.ToBuilder();
        var references = new ReferenceCount();
        foreach (var (id, range) in CompactedRanges.Read(record))
        {
            var former = streams[id];
            var stream = former.Replace(range);
            references.Replace(former, stream, range);
            streams[id] = stream;
        }

        return this with { Streams = streams.ToImmutable(), Objects = references.ApplyTo(Objects.Commit(record)) };
    }

    private StreamImage Remove(StreamId id)
    {
        var stream = Streams[id];
        var objects = stream.Ranges.Select(range => range.Object).ToHashSet();
        if (stream.Checkpoint is { } checkpoint)
        {
            objects.Add(checkpoint.Object);
        }

        return this with
        {
            Streams = Streams.Remove(id),
            Objects = objects.Aggregate(Recount(stream, null), (image, @object) => image.MarkDeleted(@object)),
            OpenByWal = WithOpen(stream, null),
        };
    }

    /// <summary>Puts in a stream, new or changed, and keeps count of what it refers to.</summary>
    private StreamImage With(StreamState stream)
    {
        var former = Streams.GetValueOrDefault(stream.Id);
        return this with
        {
            Streams = Streams.SetItem(stream.Id, stream), Objects = Recount(former, stream), OpenByWal = WithOpen(former, stream),
        };
    }

    // Only an upload or a compaction adds ranges, and they count for themselves.
    private ObjectImage Recount(StreamState? former, StreamState? stream)
    {
        var references = new ReferenceCount();
        if (former is not null)
        {
            references.Trim(former, stream);
        }

        return references.ApplyTo(Objects);
    }

    private ImmutableSortedDictionary<(NodeEpoch Owner, WalKind Wal), ImmutableSortedSet<StreamId>> WithOpen(
        StreamState? former, StreamState? stream)
    {
        var open = OpenByWal;
        var (before, now) = (PlaceOf(former), PlaceOf(stream));
        if (before == now)
        {
            return open;
        }

        if (before is { } left)
        {
            var others = open[left].Remove(former!.Id);
            open = others.IsEmpty ? open.Remove(left) : open.SetItem(left, others);
        }

        if (now is { } entered)
        {
            open = open.SetItem(entered, (open.GetValueOrDefault(entered) ?? []).Add(stream!.Id));
        }

        return open;
    }
}
