using Millrace.Coordination.Groups.Classic;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Offsets;

/// <summary>Offsets that nobody has used for the retention time go, and with the last of them a group that has no members.</summary>
internal sealed class OffsetExpiry(GroupOptions options)
{
    /// <summary>Appends the removal of a group's expired offsets.</summary>
    /// <returns>Whether that leaves none.</returns>
    public bool Expire(ClassicGroup group, GroupOffsets? offsets, long now, CoordinatorResult<GroupRecord> result)
    {
        var allExpired = true;
        foreach (var topic in offsets?.Topics ?? [])
        {
            var isUsed = group.Uses(topic);
            foreach (var (partition, offset) in offsets!.Of(topic).Reverse())
            {
                if (!isUsed && IsExpired(group, offset, now))
                {
                    result.Append(new OffsetRecord(group.Id, topic, partition, null));
                }
                else
                {
                    allExpired = false;
                }
            }
        }

        return allExpired;
    }

    private bool IsExpired(ClassicGroup group, CommittedOffset offset, long now)
    {
        if (UnusedSince(group, offset) is not { } unusedSince)
        {
            return false;
        }

        return offset.ExpireTimestamp >= 0 ? now >= offset.ExpireTimestamp : now - unusedSince >= (long)options.OffsetsRetention.TotalMilliseconds;
    }

    /// <summary>From when retention counts; null if it does not.</summary>
    private static long? UnusedSince(ClassicGroup group, CommittedOffset offset)
    {
        if (group.ProtocolType is null)
        {
            // Nobody joins such a group; committing is all there is to see of its use.
            return offset.CommitTimestamp;
        }

        return group.State switch
        {
            GroupState.Empty => group.StateTimestamp >= 0 ? group.StateTimestamp : offset.CommitTimestamp,
            // Members are there and do not subscribe to the topic. Whether they do is known of consumers only.
            GroupState.Stable when group.IsConsumerGroup && group.SubscribedTopics is not null => offset.CommitTimestamp,
            GroupState.Stable or GroupState.PreparingRebalance or GroupState.CompletingRebalance or GroupState.Dead => null,
        };
    }
}
