using Millrace.Coordination.Groups.Records;

namespace Millrace.Coordination.Groups.Offsets;

/// <summary>The committed offsets of one group, topics by name and partitions by index.</summary>
internal sealed class GroupOffsets
{
    // Partitions in sorted arrays: a million of them take half as much as in a tree, and a log that was rewritten has them in order. Whoever removes many
    // begins with the last.
    private readonly SortedDictionary<string, SortedList<int, CommittedOffset>> _topics = new(StringComparer.Ordinal);

    public bool IsEmpty => _topics.Count == 0;

    /// <summary>How many offsets there are.</summary>
    public int Count { get; private set; }

    public IEnumerable<string> Topics => _topics.Keys;

    public IEnumerable<KeyValuePair<int, CommittedOffset>> Of(string topic) => _topics.TryGetValue(topic, out var partitions) ? partitions : [];

    public CommittedOffset? Find(string topic, int partition) =>
        _topics.TryGetValue(topic, out var partitions) ? partitions.GetValueOrDefault(partition) : null;

    public void Set(string topic, int partition, CommittedOffset offset)
    {
        if (!_topics.TryGetValue(topic, out var partitions))
        {
            _topics.Add(topic, partitions = []);
        }

        Count -= partitions.Count;
        partitions[partition] = offset;
        Count += partitions.Count;
    }

    public void Remove(string topic, int partition)
    {
        if (_topics.TryGetValue(topic, out var partitions) && partitions.Remove(partition))
        {
            Count--;
            if (partitions.Count == 0)
            {
                _topics.Remove(topic);
            }
        }
    }
}
