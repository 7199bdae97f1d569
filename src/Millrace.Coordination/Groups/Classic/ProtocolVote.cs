using Millrace.Runtime;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>Which protocols the members of a group support, and which of them they would choose.</summary>
internal sealed class ProtocolVote
{
    private readonly SortedDictionary<string, int> _supporters = new(StringComparer.Ordinal);

    public void Add(GroupMember member) => Count(member, 1);

    public void Remove(GroupMember member) => Count(member, -1);

    /// <summary>Whether every member supports one of these.</summary>
    public bool IsSharedByAll(IReadOnlyList<GroupProtocol> protocols, int members) =>
        protocols.Any(protocol => _supporters.GetValueOrDefault(protocol.Name) == members);

    /// <summary>
    /// The protocol most members prefer among those that all support: each votes for the first on its list. Of equal ones the
    /// one that comes first by name, so that the choice does not hang on the order of members.
    /// </summary>
    public string Select(IReadOnlyCollection<GroupMember> members)
    {
        Invariant.Check(members.Count > 0);
        var votes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            // Joining is refused without a common protocol, so there is one to vote for.
            var choice = member.Protocols.First(protocol => _supporters[protocol.Name] == members.Count).Name;
            votes[choice] = votes.GetValueOrDefault(choice) + 1;
        }

        return votes.MaxBy(vote => vote.Value).Key;
    }

    private void Count(GroupMember member, int change)
    {
        foreach (var name in member.Protocols.Select(protocol => protocol.Name).Distinct())
        {
            var left = _supporters.GetValueOrDefault(name) + change;
            if (left > 0)
            {
                _supporters[name] = left;
            }
            else
            {
                _supporters.Remove(name);
            }
        }
    }
}
