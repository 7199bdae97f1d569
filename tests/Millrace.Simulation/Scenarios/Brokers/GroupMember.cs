using System.Buffers.Binary;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// A member of a consumer group: joins, is given partitions, fetches from where the group is, commits, and leaves now and then,
/// or falls silent until the others have given it up and goes on as if nothing had happened.
/// </summary>
internal sealed class GroupMember(
    SimulationKernel kernel, Lane lane, SimulatedClient client, SpokenVersions versions, GroupOracle oracle, PartitionReader[] readers)
{
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(6);
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SortedDictionary<int, long> _positions = [];
    private string _id = "";
    private int _generation = -1;

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                if (await JoinAsync() && await TakePositionsAsync())
                {
                    await WorkAsync(isOver);
                }
            }
            catch (IOException)
            {
                // The client has counted it. The member is who it was, and asks again.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), lane.Time);
        }
    }

    private async Task<bool> JoinAsync()
    {
        await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
            new FindCoordinatorRequest { Key = oracle.Group, KeyType = 0 }, versions.FindCoordinator);
        _positions.Clear();
        var joined = await client.CallAsync<JoinGroupRequest, JoinGroupResponse>(
            new JoinGroupRequest
            {
                GroupId = oracle.Group,
                SessionTimeoutMs = (int)SessionTimeout.TotalMilliseconds,
                RebalanceTimeoutMs = (int)SessionTimeout.TotalMilliseconds,
                MemberId = _id,
                ProtocolType = "consumer",
                Protocols = [new JoinGroupRequest.JoinGroupRequestProtocol { Name = "by lot", Metadata = Subscription() }],
            },
            versions.JoinGroup);
        if (joined.ErrorCode != 0)
        {
            Refused("join", (ErrorCode)joined.ErrorCode, joined.MemberId);
            return false;
        }

        (_id, _generation) = (joined.MemberId, joined.GenerationId);
        var synced = await client.CallAsync<SyncGroupRequest, SyncGroupResponse>(
            new SyncGroupRequest
            {
                GroupId = oracle.Group,
                GenerationId = _generation,
                MemberId = _id,
                Assignments = joined.Leader == _id ? Assign([.. joined.Members.Select(member => member.MemberId)]) : [],
            },
            versions.SyncGroup);
        if (synced.ErrorCode != 0)
        {
            Refused("sync", (ErrorCode)synced.ErrorCode);
            return false;
        }

        foreach (var partition in synced.Assignment.ToArray())
        {
            _positions[partition] = 0;
        }

        oracle.Synced(_generation, _id, [.. _positions.Keys]);
        return true;
    }

    // An assignment is its members' matter: here, a byte for each partition.
    private List<SyncGroupRequest.SyncGroupRequestAssignment> Assign(string[] members)
    {
        var owners = readers.Select(_ => _random.Pick(members)).ToArray();
        return [.. members.Select(member => new SyncGroupRequest.SyncGroupRequestAssignment
        {
            MemberId = member,
            Assignment = Enumerable.Range(0, readers.Length).Where(partition => owners[partition] == member).Select(partition => (byte)partition).ToArray(),
        })];
    }

    /// <summary>Asks where the group is in the partitions that this member owns.</summary>
    private async Task<bool> TakePositionsAsync()
    {
        int[] owned = [.. _positions.Keys];
        var committed = owned.Select(partition => oracle.Offsets[partition].Committed).ToArray();
        if (owned.Length == 0)
        {
            return true;
        }

        var answer = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new OffsetFetchRequest
            {
                GroupId = oracle.Group,
                Topics = [new OffsetFetchRequest.OffsetFetchRequestTopic { Name = BrokerWorld.Topic, PartitionIndexes = owned }],
            },
            versions.OffsetFetch);
        if (answer.ErrorCode != 0)
        {
            Refused("offsets", (ErrorCode)answer.ErrorCode);
            return false;
        }

        for (var i = 0; i < owned.Length; i++)
        {
            var partition = answer.Topics[0].Partitions[i];
            if (partition.PartitionIndex != owned[i])
            {
                throw new ViolationException($"Group {oracle.Group}: the offset of partition {partition.PartitionIndex} came for {owned[i]}");
            }

            oracle.Offsets[owned[i]].Fetched(partition.CommittedOffset, committed[i]);
            _positions[owned[i]] = Math.Max(0, partition.CommittedOffset);
        }

        return true;
    }

    /// <summary>Returns when the group wants everybody to join again, or this member has left.</summary>
    private async Task WorkAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            var commits = _random.Chance(0.6);
            switch (_random.Next(40))
            {
                case 0:
                    await LeaveAsync();
                    return;
                case 1 or 2:
                    // What it does next it does as a member that is none any more.
                    kernel.Coverage.Count("group: members that fell silent");
                    commits = true;
                    await Task.Delay(SessionTimeout * (1 + _random.NextDouble()), lane.Time);
                    break;
                default:
                    foreach (var partition in _positions.Keys.ToArray())
                    {
                        _positions[partition] = await readers[partition].FetchAsync(_positions[partition]) ?? _positions[partition];
                    }

                    break;
            }

            if (commits && _positions.Count > 0 && !await CommitAsync() || !await HeartbeatAsync())
            {
                return;
            }

            await Task.Delay(_random.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1)), lane.Time);
        }
    }

    private async Task<bool> CommitAsync()
    {
        int[] owned = [.. _positions.Keys];
        var newest = oracle.NewestGeneration;
        var commits = owned.Select(partition => oracle.Offsets[partition].Sending(_positions[partition])).ToArray();
        var answer = await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new OffsetCommitRequest
            {
                GroupId = oracle.Group,
                GenerationIdOrMemberEpoch = _generation,
                MemberId = _id,
                Topics =
                [
                    new OffsetCommitRequest.OffsetCommitRequestTopic
                    {
                        Name = BrokerWorld.Topic,
                        Partitions = [.. owned.Select((partition, i) => new OffsetCommitRequest.OffsetCommitRequestPartition
                        {
                            PartitionIndex = partition, CommittedOffset = commits[i].Offset, CommittedMetadata = "",
                        })],
                    },
                ],
            },
            versions.OffsetCommit);
        var error = ErrorCode.None;
        for (var i = 0; i < owned.Length; i++)
        {
            error = (ErrorCode)answer.Topics[0].Partitions[i].ErrorCode;
            if (error == ErrorCode.None)
            {
                oracle.CommitAcknowledged(_generation, newest, owned[i], commits[i]);
            }
            else if (error is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress)
            {
                // These are said before anything is written; of others, the outcome is unknown.
                oracle.Offsets[owned[i]].Refused(commits[i]);
            }
        }

        if (error is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration)
        {
            kernel.Coverage.Count("group: commits refused to former owners");
        }

        return error == ErrorCode.None || Refused("commit", error);
    }

    private async Task<bool> HeartbeatAsync()
    {
        var answer = await client.CallAsync<HeartbeatRequest, HeartbeatResponse>(
            new HeartbeatRequest { GroupId = oracle.Group, GenerationId = _generation, MemberId = _id }, versions.Heartbeat);
        return answer.ErrorCode == 0 || Refused("heartbeat", (ErrorCode)answer.ErrorCode);
    }

    private async Task LeaveAsync()
    {
        var answer = await client.CallAsync<LeaveGroupRequest, LeaveGroupResponse>(
            new LeaveGroupRequest { GroupId = oracle.Group, Members = [new LeaveGroupRequest.MemberIdentity { MemberId = _id }] }, versions.LeaveGroup);
        kernel.Coverage.Count(answer.ErrorCode == 0 ? "group: members that left" : "group: leaving refused");
        _id = "";
        await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(5)), lane.Time);
    }

    /// <returns>False: the member cannot go on as it is.</returns>
    private bool Refused(string what, ErrorCode error, string? idGiven = null)
    {
        kernel.Coverage.Count($"group: {what} refused, {error}");
        switch (error)
        {
            case ErrorCode.MemberIdRequired:
                _id = idGiven!;
                return false;
            case ErrorCode.UnknownMemberId:
                _id = "";
                return false;
            case ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress or ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress
                or ErrorCode.CoordinatorNotAvailable or ErrorCode.RequestTimedOut or ErrorCode.UnknownTopicOrPartition:
            case var _ when BrokerWorld.IsForWantOfMemory(kernel, error):
                return false;
            default:
                throw new ViolationException($"Group {oracle.Group}: {error} for a {what}");
        }
    }

    /// <summary>The consumer protocol's subscription, version 0: the topic, and no user data.</summary>
    private static byte[] Subscription()
    {
        var topic = System.Text.Encoding.ASCII.GetBytes(BrokerWorld.Topic);
        var subscription = new byte[sizeof(short) + sizeof(int) + sizeof(short) + topic.Length + sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(subscription.AsSpan(sizeof(short)), 1);
        BinaryPrimitives.WriteInt16BigEndian(subscription.AsSpan(sizeof(short) + sizeof(int)), (short)topic.Length);
        topic.CopyTo(subscription, sizeof(short) + sizeof(int) + sizeof(short));
        BinaryPrimitives.WriteInt32BigEndian(subscription.AsSpan(subscription.Length - sizeof(int)), -1);
        return subscription;
    }
}
