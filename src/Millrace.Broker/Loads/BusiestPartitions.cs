using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Metadata.Loads;

namespace Millrace.Broker.Loads;

/// <summary>Finds the busiest of very many partitions, without keeping more than it is asked for.</summary>
/// <remarks>Which they are does not depend on the order in which they come: of equally busy ones the lowest id and number count. One caller.</remarks>
/// <param name="most">How many there may be.</param>
internal sealed class BusiestPartitions(int most)
{
    private readonly PriorityQueue<PartitionLoad, PartitionLoad> _found = new(most + 1, Comparer<PartitionLoad>.Create(LeastFirst));

    /// <summary>One of all. An idle one is none of the busiest, however few there are.</summary>
    public void Add(PartitionLoad load)
    {
        if (load.Bytes <= 0)
        {
            return;
        }

        if (_found.Count < most)
        {
            _found.Enqueue(load, load);
        }
        else
        {
            _found.EnqueueDequeue(load, load);
        }
    }

    /// <summary>The busiest of those that were added since the last time, the busiest first.</summary>
    public ImmutableArray<PartitionLoad> Take()
    {
        var busiest = new PartitionLoad[_found.Count];
        for (var i = busiest.Length - 1; i >= 0; i--)
        {
            busiest[i] = _found.Dequeue();
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(busiest);
    }

    private static int LeastFirst(PartitionLoad left, PartitionLoad right) =>
        left.Bytes != right.Bytes ? left.Bytes.CompareTo(right.Bytes)
        : left.Topic != right.Topic ? right.Topic.CompareTo(left.Topic)
        : right.Partition.CompareTo(left.Partition);
}
