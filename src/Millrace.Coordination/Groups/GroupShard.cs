using Millrace.Coordination.Groups.Classic;
using Millrace.Coordination.Groups.Offsets;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups;

/// <summary>
/// The groups of one partition of <c>__consumer_offsets</c>. What the log says of them (<see cref="Images"/>, <see cref="Offsets"/>)
/// changes by replay alone; the groups as they live (who waits, whose session runs until when) change with the requests, and a
/// shard loaded anew makes them from what the log says.
/// </summary>
/// <remarks>Groups of other kinds (consumer, share) will stand beside the classic ones, each kind with its records and handlers.</remarks>
internal sealed partial class GroupShard : ICoordinatorShard<GroupRecord>
{
    private readonly GroupOptions _options;
    private readonly ShardContext<GroupRecord> _context;
    private readonly SortedDictionary<string, GroupImage> _images = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ClassicGroup> _groups = new(StringComparer.Ordinal);
    private readonly GroupRebalance _rebalance;
    private readonly SessionTimers _sessions;
    private readonly GroupJoin _join;
    private readonly GroupSync _sync;
    private readonly GroupMembership _membership;
    private readonly OffsetCommits _commits;
    private readonly OffsetExpiry _expiry;
    private readonly ShardTimer<GroupRecord> _expiryTimer;

    public GroupShard(GroupOptions options, ShardContext<GroupRecord> context)
    {
        _options = options;
        _context = context;
        _rebalance = new GroupRebalance(options, context);
        _sessions = new SessionTimers(context, _rebalance);
        _join = new GroupJoin(options, context, _rebalance, _sessions);
        _sync = new GroupSync(_rebalance, context);
        _membership = new GroupMembership(_rebalance);
        _commits = new OffsetCommits(options, context);
        _expiry = new OffsetExpiry(options);
        _expiryTimer = context.Timers.Create(Expire);
    }

    /// <summary>The classic groups as the log has them.</summary>
    public IReadOnlyDictionary<string, GroupImage> Images => _images;

    public OffsetsTable Offsets { get; } = new();

    public int Count => _groups.Count;

    public int LiveRecordCount => _images.Count + Offsets.Count;

    public IEnumerable<GroupRecord> LiveRecords()
    {
        foreach (var groupId in _images.Keys.ToList())
        {
            if (_images.TryGetValue(groupId, out var image))
            {
                yield return new GroupMetadataRecord(groupId, image);
            }
        }

        foreach (var groupId in Offsets.Groups.Keys.ToList())
        {
            foreach (var topic in Offsets.Of(groupId)?.Topics.ToList() ?? [])
            {
                foreach (var partition in Offsets.Of(groupId)?.Of(topic).Select(offset => offset.Key).ToList() ?? [])
                {
                    if (Offsets.Of(groupId)?.Find(topic, partition) is { } offset)
                    {
                        yield return new OffsetRecord(groupId, topic, partition, offset);
                    }
                }
            }
        }
    }

    public void Replay(GroupRecord record)
    {
        switch (record)
        {
            case GroupMetadataRecord { Value: { } image }:
                _images[record.GroupId] = image;
                break;
            case GroupMetadataRecord:
                _images.Remove(record.GroupId);
                break;
            case OffsetRecord offset:
                Offsets.Replay(offset);
                break;
            default:
                throw new InvalidOperationException($"No such record: {record.GetType().Name}");
        }
    }

    public CoordinatorResult<GroupRecord> OnLoaded()
    {
        var result = new CoordinatorResult<GroupRecord> { MaySplit = true };
        foreach (var (groupId, image) in _images)
        {
            var group = ClassicGroup.FromImage(groupId, image);
            _groups.Add(groupId, group);
            foreach (var member in group.Members.All)
            {
                _sessions.Attach(group, member);
            }

            if (group.Members.Count > _options.MaxSize)
            {
                _rebalance.Prepare(group, "the group is larger than the setting allows now", result);
            }
        }

        foreach (var groupId in Offsets.Groups.Keys)
        {
            _groups.TryAdd(groupId, new ClassicGroup(groupId, -1));
        }

        _expiryTimer.Start(_options.RetentionCheckInterval);
        return result;
    }

    /// <summary>The periodic search for what nobody uses any more.</summary>
    private void Expire(CoordinatorResult<GroupRecord> result)
    {
        foreach (var group in _groups.Values.ToList())
        {
            var isUnused = _expiry.Expire(group, Offsets.Of(group.Id), _context.Now, result);
            if (isUnused && group is { State: GroupState.Empty, Members.Pending: 0 })
            {
                Forget(group, result);
            }
        }

        _expiryTimer.Start(_options.RetentionCheckInterval);
    }

    /// <summary>Removes a group that has no members and keeps no offsets.</summary>
    private void Forget(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        // A group that only stored offsets, or never came to a generation, has no record of its own.
        if (_images.ContainsKey(group.Id))
        {
            result.Append(new GroupMetadataRecord(group.Id, null));
        }

        group.Members.RemoveAllPending();
        _groups.Remove(group.Id);
    }
}
