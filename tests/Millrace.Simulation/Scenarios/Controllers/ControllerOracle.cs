using Millrace.Controller.State;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;
using Millrace.Streams.Objects;

namespace Millrace.Simulation.Scenarios.Controllers;

/// <summary>What controllers have acknowledged, and whether the last state of the log agrees.</summary>
internal sealed class ControllerOracle(SimulationKernel kernel)
{
    private readonly SortedSet<long> _objects = [];
    private readonly SortedSet<long> _producers = [];
    private readonly SortedDictionary<string, Guid> _topics = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _deleted = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _doubtful = new(StringComparer.Ordinal);
    private readonly List<(StreamId Stream, long Start, long End, ObjectId Object)> _commits = [];

    /// <summary>Objects that were certainly in the bucket once.</summary>
    public int Uploads { get; private set; }

    public void Uploaded() => Uploads++;

    public void Prepared(ObjectId id)
    {
        Acknowledge();
        Check(_objects.Add(id.Value), $"Object id {id} was handed out twice");
    }

    public void ProducersAllocated(long first)
    {
        Acknowledge();
        Check(_producers.Add(first), $"Producer ids from {first} on were handed out twice");
    }

    public void TopicCreated(string name, Guid id)
    {
        Acknowledge();
        _topics.Add(name, id);
    }

    /// <summary>A deletion was asked for: until it is answered the topic may be there or not.</summary>
    public void TopicDeletionBegins(string name) => _doubtful.Add(name);

    public void TopicDeleted(string name)
    {
        Acknowledge();
        _deleted.Add(name);
    }

    public void Committed(StreamId stream, long start, long end, ObjectId @object)
    {
        Acknowledge();
        kernel.Trace.Note($"stream {stream} is committed: [{start}, {end}) in object {@object}");
        _commits.Add((stream, start, end, @object));
    }

    public void CheckAll(ClusterState state, SimulatedBucket bucket)
    {
        Check(_objects.Count == 0 || _objects.Max < state.Streams.NextObjectId, "An object id was handed out and will be again");
        Check(_producers.Count == 0 || _producers.Max < state.Cluster.NextProducerId, "Producer ids were handed out and will be again");
        foreach (var (name, id) in _topics)
        {
            var exists = state.Cluster.Topics.TryGetValue(name, out var topic);
            Check(!exists || topic!.Id == id, $"Topic {name} has another id than was answered");
            Check(exists || _doubtful.Contains(name), $"Topic {name} is lost");
            Check(!exists || !_deleted.Contains(name), $"Topic {name} was deleted and is there");
        }

        foreach (var (stream, start, end, @object) in _commits)
        {
            var found = state.Streams.Find(stream);
            Check(found?.CommittedEnd >= end, $"Stream {stream} was committed up to {end}, and ends at {found?.CommittedEnd}");
            Check(
                found!.Ranges.Any(range => range.StartOffset == start && range.EndOffset == end && range.Object == @object),
                $"The range [{start}, {end}) of stream {stream} is lost");
        }

        foreach (var range in state.Streams.Streams.Values.SelectMany(stream => stream.Ranges))
        {
            Check(bucket.Peek(DataObjectKey.Of(range.Object)) is not null, $"Object {range.Object} was deleted, and a stream needs it");
        }
    }

    private static void Check(bool holds, string violation)
    {
        if (!holds)
        {
            throw new ViolationException(violation);
        }
    }

    private void Acknowledge() => kernel.Coverage.Count(CoverageNames.Acknowledged);
}
