using Millrace.Controller.State;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Objects;

/// <summary>Looks through the streams for objects that are worth merging.</summary>
/// <remarks>
/// A stream that has ranges one after another in so many objects of one size class gives them: merged, these ranges are one, about so many times as large,
/// and in an object of the next class. So a stream keeps a few ranges in each class, and each record is written once in each class. An object's class is by
/// what it has of the stream, or of its streams in the mean, and not by its size: what is merged of many streams is cut into objects of fewer. Where there is
/// nothing of that, objects of which most is gone are worth it by themselves, and those that hold something of a deleted stream. Each search goes on where
/// the one before has ended, and looks at a bounded number of ranges. Threading: one at a time.
/// </remarks>
internal sealed class MergeSearch(ClusterControllerOptions options)
{
    // Some milliseconds.
    private const int MostRanges = 50_000;

    // Objects of lower classes may lie between those of one.
    private const int MostSources = 4;

    // What is in one class is about as large: uploads of one node differ by less, as a rule.
    private const int ClassRatio = 8;

    private long _next;

    /// <param name="streams">Where they are looked for.</param>
    /// <param name="withDeleted">Objects that have held something of deleted streams for long enough.</param>
    /// <param name="isFree">Whether an object may be taken.</param>
    /// <returns>Objects to be merged; none if none were found this time.</returns>
    public IReadOnlyList<ObjectState> Find(StreamImage streams, IReadOnlyList<ObjectId> withDeleted, Func<ObjectId, bool> isFree)
    {
        var left = MostRanges;
        foreach (var stream in streams.Streams.Values.Where(stream => stream.Id.Value >= _next))
        {
            if (stream.Ranges.Count >= options.CompactionFanIn)
            {
                if (left <= 0)
                {
                    _next = stream.Id.Value;
                    return Rest(streams.Objects, withDeleted, isFree);
                }

                left -= stream.Ranges.Count;
                if (Find(streams.Objects, stream, isFree) is { Count: > 0 } found)
                {
                    _next = stream.Id.Value;
                    return found;
                }
            }
        }

        _next = 0;
        return Rest(streams.Objects, withDeleted, isFree);
    }

    /// <summary>Objects to be written once more for the sake of what does not count in them.</summary>
    private IReadOnlyList<ObjectState> Rest(ObjectImage objects, IReadOnlyList<ObjectId> withDeleted, Func<ObjectId, bool> isFree) =>
        [.. objects.Thin.Concat(withDeleted).Distinct().Where(isFree).Take(options.CompactionFanIn).Select(id => objects.All[id])];

    private List<ObjectState> Find(ObjectImage objects, StreamState stream, Func<ObjectId, bool> isFree)
    {
        var places = PlacesOf(objects, stream, isFree);
        foreach (var wanted in places.Select(place => place.Class).OfType<int>().Distinct().Order())
        {
            var run = new List<ObjectState>();
            var count = 0;
            foreach (var (state, @class) in places)
            {
                if (@class is null || @class > wanted)
                {
                    run.Clear();
                    count = 0;
                }

                if (@class <= wanted && !run.Contains(state))
                {
                    run.Add(state);
                    count += @class == wanted ? 1 : 0;
                }

                // Where what lies between is that much, it is worth it by itself: all of that becomes one.
                if (count == options.CompactionFanIn || run.Count == MostSources * options.CompactionFanIn)
                {
                    return run;
                }
            }
        }

        return [];
    }

    /// <summary>The objects that a stream lies in, in the order of its offsets, and their classes; null for what stays as it is.</summary>
    private List<(ObjectState State, int? Class)> PlacesOf(ObjectImage objects, StreamState stream, Func<ObjectId, bool> isFree)
    {
        var places = new List<(ObjectState, int?)>();
        ObjectId? last = null;
        var bytes = 0L;
        foreach (var range in stream.Ranges)
        {
            bytes = range.Object == last ? bytes + range.Bytes : range.Bytes;
            var place = (objects.All[range.Object], ClassOf(objects.All[range.Object], bytes, isFree));
            if (range.Object == last)
            {
                // Ranges of several epochs stay apart, however often they are merged: what counts is what there is of the stream.
                places[^1] = place;
            }
            else
            {
                places.Add(place);
            }

            last = range.Object;
        }

        return places;
    }

    private int? ClassOf(ObjectState state, long streamBytes, Func<ObjectId, bool> isFree)
    {
        // However much the object has of others: a stream with little in it would come to lie in ever more of such.
        if (streamBytes >= options.CompactedRangeBytes || !isFree(state.Id))
        {
            return null;
        }

        var bytes = Math.Min(Math.Max(state.Size / state.MostReferences, streamBytes), options.CompactedRangeBytes - 1);
        var @class = 0;
        for (; bytes >= ClassRatio; bytes /= ClassRatio)
        {
            @class++;
        }

        return @class;
    }
}
