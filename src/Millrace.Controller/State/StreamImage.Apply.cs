using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
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
                    new StreamEpoch(opened.Epoch), new NodeIncarnation(new NodeId(opened.NodeId), new NodeEpoch(opened.NodeEpoch)))),
            StreamClosedRecord closed => With(Streams[new StreamId(closed.StreamId)].Close(new StreamEpoch(closed.Epoch), closed.EndOffset)),
            StreamDamagedRecord damaged => With(Streams[new StreamId(damaged.StreamId)].Damage(new StreamEpoch(damaged.Epoch))),
            StreamTrimmedRecord trimmed => With(Streams[new StreamId(trimmed.StreamId)].Trim(trimmed.StartOffset)),
            StreamRemovedRecord removed => Remove(new StreamId(removed.StreamId)),
            StreamRangeRecord range => Apply(range),
            ObjectsPreparedRecord prepared => this with
            {
                Objects = Objects.Prepare(prepared),
                NextObjectId = Math.Max(NextObjectId, prepared.FirstObjectId + prepared.Count),
            },
            ObjectRecord @object => this with { Objects = Objects.With(ObjectState.From(@object)) },
            UploadCommittedRecord upload => Apply(upload),
            ObjectsDeletingRecord deleting => this with
            {
                Objects = deleting.ObjectIds.Aggregate(
                    Objects, (objects, id) => objects.Delete(new ObjectId(id), new StoreId(deleting.StoreId), deleting.Time)),
            },
            ObjectsRemovedRecord removed => this with
            {
                Objects = removed.ObjectIds.Aggregate(Objects, (objects, id) => objects.Remove(new ObjectId(id), new StoreId(removed.StoreId))),
            },
            CountersRecord counters => this with { NextStreamId = counters.NextStreamId, NextObjectId = counters.NextObjectId },
            _ => this,
        };

    private StreamImage Apply(StreamStateRecord record)
    {
        var stream = StreamState.From(record);
        Invariant.Check(!Streams.ContainsKey(stream.Id));
        return With(stream) with { NextStreamId = Math.Max(NextStreamId, record.StreamId + 1) };
    }

    private StreamImage Apply(StreamRangeRecord record)
    {
        var stream = Streams[new StreamId(record.StreamId)];
        var range = RangeRecords.FromSnapshot(record, Objects.All[new ObjectId(record.ObjectId)]);
        return With(stream with
        {
            Ranges = record.IsCheckpointOnly ? stream.Ranges : stream.Ranges.Add(range),
            Checkpoint = range.HasCheckpoint ? range : stream.Checkpoint,
        });
    }

    private StreamImage Apply(UploadCommittedRecord record)
    {
        var objects = Objects;
        var ranges = new List<ObjectRange>();
        foreach (var @object in record.Objects)
        {
            objects = objects.Commit(new ObjectId(@object.ObjectId), new StoreId(@object.StoreId), (ObjectKind)@object.Kind, @object.Size);
            ranges.AddRange(@object.Ranges.Select(range => RangeRecords.FromCommitted(@object, range)));
        }

        // A stream's ranges may lie in several of the objects, in any order of these.
        return ranges
            .OrderBy(range => range.Stream).ThenBy(range => range.StartOffset).ThenBy(range => range.EndOffset)
            .Aggregate(this with { Objects = objects }, (image, range) => image.With(image.Streams[range.Stream].Commit(range)));
    }

    private StreamImage Remove(StreamId id)
    {
        var stream = Streams[id];
        var objects = References(stream).Aggregate(Objects, (objects, reference) => objects.Refer(reference, -1));
        return this with { Streams = Streams.Remove(id), Objects = objects, OpenByOwner = WithOpen(stream, null) };
    }

    /// <summary>Puts in a stream, new or changed, and keeps count of what it refers to.</summary>
    private StreamImage With(StreamState stream)
    {
        var former = Streams.GetValueOrDefault(stream.Id);
        var objects = Objects;
        if (former is null || former.Ranges != stream.Ranges || former.Checkpoint != stream.Checkpoint)
        {
            objects = Recount(objects, former, stream);
        }

        return this with { Streams = Streams.SetItem(stream.Id, stream), Objects = objects, OpenByOwner = WithOpen(former, stream) };
    }

    /// <summary>A change takes ranges off the front or adds them at the end, so only those need a look.</summary>
    private static ObjectImage Recount(ObjectImage objects, StreamState? former, StreamState stream)
    {
        var formerRanges = former?.Ranges ?? [];
        var firstOffset = stream.Ranges.IsEmpty ? long.MaxValue : stream.Ranges[0].StartOffset;
        var kept = 0;
        foreach (var range in formerRanges)
        {
            if (range.StartOffset >= firstOffset)
            {
                break;
            }

            objects = objects.Refer(range.Object, -1);
            kept++;
        }

        for (var i = formerRanges.Count - kept; i < stream.Ranges.Count; i++)
        {
            objects = objects.Refer(stream.Ranges[i].Object, +1);
        }

        if (former?.Checkpoint != stream.Checkpoint)
        {
            objects = stream.Checkpoint is { } now ? objects.Refer(now.Object, +1) : objects;
            objects = former?.Checkpoint is { } before ? objects.Refer(before.Object, -1) : objects;
        }

        return objects;
    }

    private static IEnumerable<ObjectId> References(StreamState stream) =>
        stream.Checkpoint is { } checkpoint
            ? stream.Ranges.Select(range => range.Object).Append(checkpoint.Object)
            : stream.Ranges.Select(range => range.Object);

    private ImmutableSortedDictionary<NodeEpoch, ImmutableSortedSet<StreamId>> WithOpen(
        StreamState? former, StreamState? stream)
    {
        var open = OpenByOwner;
        if (former?.OpenRange?.Owner == stream?.OpenRange?.Owner)
        {
            return open;
        }

        if (former?.OpenRange is { } before)
        {
            var left = open[before.Owner.Epoch].Remove(former.Id);
            open = left.IsEmpty ? open.Remove(before.Owner.Epoch) : open.SetItem(before.Owner.Epoch, left);
        }

        if (stream?.OpenRange is { } now)
        {
            open = open.SetItem(now.Owner.Epoch, (open.GetValueOrDefault(now.Owner.Epoch) ?? []).Add(stream.Id));
        }

        return open;
    }
}
