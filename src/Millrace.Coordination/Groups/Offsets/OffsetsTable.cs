using Millrace.Coordination.Groups.Records;

namespace Millrace.Coordination.Groups.Offsets;

/// <summary>The committed offsets of one shard, by group, topic and partition. Changed by replay alone.</summary>
/// <remarks>Pending offsets of transactions will have their place here, beside the committed ones.</remarks>
internal sealed class OffsetsTable
{
    private readonly SortedDictionary<string, GroupOffsets> _groups = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, GroupOffsets> Groups => _groups;

    public GroupOffsets? Of(string groupId) => _groups.GetValueOrDefault(groupId);

    public void Replay(OffsetRecord record)
    {
        if (record.Value is { } offset)
        {
            if (!_groups.TryGetValue(record.GroupId, out var group))
            {
                _groups.Add(record.GroupId, group = new GroupOffsets());
            }

            group.Set(record.Topic, record.Partition, offset);
        }
        else if (Of(record.GroupId) is { } group)
        {
            group.Remove(record.Topic, record.Partition);
            if (group.IsEmpty)
            {
                _groups.Remove(record.GroupId);
            }
        }
    }
}
