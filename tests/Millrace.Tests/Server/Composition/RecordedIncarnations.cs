using System.Collections.Concurrent;
using Millrace.Server.Composition;

namespace Millrace.Tests.Server.Composition;

/// <summary>What a node has told of its incarnations.</summary>
internal sealed class RecordedIncarnations : INodeObserver
{
    private readonly ConcurrentQueue<Incarnation> _served = new();
    private readonly ConcurrentQueue<Exception> _reasons = new();
    private int _gone;

    /// <summary>Those that served, in their order.</summary>
    public IReadOnlyCollection<Incarnation> Served => _served;

    /// <summary>Why those were over that are.</summary>
    public IReadOnlyCollection<Exception> Reasons => _reasons;

    /// <summary>How many were disposed of completely.</summary>
    public int Gone => Volatile.Read(ref _gone);

    public void OnServing(Incarnation incarnation) => _served.Enqueue(incarnation);

    public void OnOver(Incarnation incarnation, Exception reason) => _reasons.Enqueue(reason);

    public void OnGone(Incarnation incarnation) => Interlocked.Increment(ref _gone);
}
