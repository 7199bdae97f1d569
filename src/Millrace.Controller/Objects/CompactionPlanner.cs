using Millrace.Controller.State;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Objects;

/// <summary>Gives nodes objects to merge: each to one node at a time.</summary>
/// <remarks>
/// What it knows is in memory alone. A commit is judged by the state, so that a job which is done twice, or of which a former controller knew, does no harm:
/// what comes second is void. Threading: any thread.
/// </remarks>
/// <param name="runtime">Tells the time.</param>
/// <param name="options">What is merged, and how long a node may take.</param>
internal sealed class CompactionPlanner(NodeRuntime runtime, ClusterControllerOptions options)
{
    private readonly Lock _lock = new();
    private readonly MergeSearch _search = new(options);
    private readonly List<Job> _jobs = [];
    private readonly ObjectAges _withDeleted = new(runtime);

    // Nothing came of them: whoever had them could not read them, perhaps. That some of what they hold was trimmed meanwhile says nothing of that.
    private readonly Dictionary<ObjectId, long> _resting = [];

    /// <summary>What a node that has nothing to do may merge. It is done with what it was given before, or has given up.</summary>
    public IReadOnlyList<CompactionSource> Take(ClusterState state, NodeIncarnation node)
    {
        lock (_lock)
        {
            EndJobs(state, node);
            var withDeleted = _withDeleted.OlderThan(state.Streams.Objects.WithDeleted, options.DeletionDelay);
            var sources = _search.Find(
                state.Streams, withDeleted, id => !_resting.ContainsKey(id) && !_jobs.Exists(job => job.Objects.Contains(id)));
            if (sources.Count > 0)
            {
                _jobs.Add(new Job(node, sources.Select(source => source.Id).ToHashSet()) { Since = runtime.Time.GetTimestamp() });
            }

            return [.. sources.Select(source => new CompactionSource(source.Id, source.Size, source.Digest))];
        }
    }

    /// <summary>Some of what a node was given has given way to what it made of it.</summary>
    public void OnProgress(NodeIncarnation node)
    {
        lock (_lock)
        {
            foreach (var job in _jobs.Where(job => job.Node == node))
            {
                job.GotAnywhere = true;
                job.Since = runtime.Time.GetTimestamp();
            }
        }
    }

    private void EndJobs(ClusterState state, NodeIncarnation node)
    {
        foreach (var id in _resting.Where(rests => IsOver(rests.Value)).Select(rests => rests.Key).ToArray())
        {
            _resting.Remove(id);
        }

        foreach (var job in _jobs.Where(job => job.Node == node || IsOver(job.Since) || !state.IsLive(job.Node)).ToArray())
        {
            _jobs.Remove(job);
            if (job.Node == node && !job.GotAnywhere)
            {
                foreach (var id in job.Objects)
                {
                    _resting[id] = runtime.Time.GetTimestamp();
                }
            }
        }
    }

    private bool IsOver(long since) => runtime.Time.GetElapsedTime(since) >= options.CompactionPatience;

    /// <param name="Node">Who has it.</param>
    /// <param name="Objects">What it was given.</param>
    private sealed record Job(NodeIncarnation Node, IReadOnlySet<ObjectId> Objects)
    {
        /// <summary>When it was given out, or last got anywhere: a timestamp.</summary>
        public required long Since { get; set; }

        public bool GotAnywhere { get; set; }
    }
}
