using Millrace.Coordination.Groups.Records;

namespace Millrace.Coordination.Groups.Offsets;

/// <summary>The committed offsets of one shard, by group, topic and partition. Changed by replay alone.</summary>
/// <remarks>Pending offsets of transactions will have their place here, beside the committed ones.</remarks>
internal sealed class OffsetsTable
{
    // The order in which they are shown is that of their first commits, whatever their names' hashes: it is the same in every run.
    private readonly Dictionary<string, GroupOffsets> _groups = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, GroupOffsets> Groups => _groups;

    /// <summary>How many offsets there are in all.</summary>
    public int Count { get; private set; }

    public GroupOffsets? Of(string groupId) => _groups.GetValueOrDefault(groupId);

    public void Replay(OffsetRecord record)
    {
        if (record.Value is { } offset)
        {
            if (!_groups.TryGetValue(record.GroupId, out var group))
            {
                _groups.Add(record.GroupId, group = new GroupOffsets());
            }

            Count -= group.Count;
            group.Set(record.Topic, record.Partition, offset);
            Count += group.Count;
        }
        else if (Of(record.GroupId) is { } group)
        {
            Count -= group.Count;
            group.Remove(record.Topic, record.Partition);
            Count += group.Count;
            if (group.IsEmpty)
            {
                _groups.Remove(record.GroupId);
            }
        }
    }
}
