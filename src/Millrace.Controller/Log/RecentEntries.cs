using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;

namespace Millrace.Controller.Log;

/// <summary>
/// The newest steps of the metadata log, for those who follow it: what they say of the cluster image for every node, and all of them for one that is to
/// take over. A few megabytes each; who lies further back reads the bucket instead.
/// </summary>
/// <remarks>Threading: adding by the log's one caller, reading by any thread. Each reader waits at most once at a time.</remarks>
public sealed class RecentEntries
{
    private readonly RecentRing _cluster = new();
    private readonly RecentRing _whole = new();

    /// <summary>Begins anew: what comes next is the step at a place, and nothing before it is known.</summary>
    public void Restart(LogPlace first)
    {
        _cluster.Restart(first);
        _whole.Restart(first);
    }

    /// <summary>There is a seal. Everybody is told of it: a term that follows is known by it.</summary>
    public void AddSeal(LogStep seal)
    {
        _cluster.Add(seal);
        _whole.Add(seal);
    }

    /// <summary>An entry is committed.</summary>
    /// <param name="entry">Above all before it.</param>
    /// <param name="before">The cluster image before it.</param>
    /// <param name="records">What it says.</param>
    public void AddEntry(LogStep entry, MetadataImage before, IReadOnlyList<IRecord> records)
    {
        _whole.Add(entry);
        if (OfCluster(before, records) is { Count: > 0 } kept)
        {
            _cluster.Add(LogStep.Entry(entry.Place, MetadataEntry.Write(kept)));
        }
        else
        {
            _cluster.Skip(entry);
        }
    }

    /// <summary>What there is from a place on, at once: one step at least if there is any, and no more than fit.</summary>
    /// <param name="next">The first place that the reader does not know.</param>
    /// <param name="whole">All records; else entries are cut to those of the cluster image, and left out where they have none.</param>
    /// <param name="maxBytes">Of records.</param>
    /// <returns>Null if what is there is kept no more.</returns>
    public RecentPart? Read(LogPlace next, bool whole, int maxBytes) => (whole ? _whole : _cluster).Read(next, maxBytes);

    private static List<IRecord> OfCluster(MetadataImage image, IReadOnlyList<IRecord> records)
    {
        var kept = new List<IRecord>();
        foreach (var record in records)
        {
            var after = image.Apply(record);
            if (!ReferenceEquals(after, image))
            {
                kept.Add(record);
                image = after;
            }
        }

        return kept;
    }
}
