using Millrace.Controller.State;
using Millrace.Controller.Topics;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Streams.Registry;

namespace Millrace.Controller;

/// <summary>
/// The entry that is being put together: its records so far, and the state as if they were committed. Operations look at the
/// state, and change it by adding records only.
/// </summary>
internal sealed class PendingEntry(ClusterState committed, DateTimeOffset now)
{
    private readonly List<IRecord> _records = [];

    public ClusterState State { get; private set; } = committed;

    public MetadataImage Cluster => State.Cluster;

    public StreamImage Streams => State.Streams;

    public IReadOnlyList<IRecord> Records => _records;

    /// <summary>The controller's clock, for deadlines only; no id and no epoch comes from it. Milliseconds since the Unix epoch.</summary>
    public long Now { get; } = now.ToUnixTimeMilliseconds();

    /// <summary>The topics that its records change; and those that were changed by what was taken back.</summary>
    public TouchedTopics Touched { get; } = new();

    public void Add(IRecord record)
    {
        var before = Cluster;
        State = State.Apply(record);
        Touched.Add(record, before, Cluster);
        _records.Add(record);
    }

    /// <summary>Runs one operation; if it throws, or is a rehearsal, what it added is taken back.</summary>
    public T Run<T>(Func<PendingEntry, T> operation, bool keep = true) => Run(operation, _ => keep);

    /// <summary>Runs one operation that may be refused in the middle: then too what it added is taken back.</summary>
    public Refusal? Try(Func<PendingEntry, Refusal?> operation, bool keep) => Run(operation, refusal => keep && refusal is null);

    /// <summary>Refuses an incarnation that is not the newest of its node, or is not live any more.</summary>
    public void RequireLive(NodeIncarnation incarnation) => State.RequireLive(incarnation);

    public bool IsLive(NodeIncarnation incarnation) => State.IsLive(incarnation);

    private T Run<T>(Func<PendingEntry, T> operation, Func<T, bool> keeps)
    {
        var state = State;
        var count = _records.Count;
        var kept = false;
        try
        {
            var result = operation(this);
            kept = keeps(result);
            return result;
        }
        finally
        {
            if (!kept)
            {
                State = state;
                _records.RemoveRange(count, _records.Count - count);
            }
        }
    }
}
