using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Coordination.Groups;

/// <summary>What consumers tell their leader, as far as the coordinator looks into it: the topics.</summary>
internal static class ConsumerSubscription
{
    /// <summary>All topics of the members; null if what one of them says cannot be read.</summary>
    public static SortedSet<string>? Topics(IEnumerable<ReadOnlyMemory<byte>> subscriptions)
    {
        var topics = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var subscription in subscriptions)
        {
            try
            {
                topics.UnionWith(VersionedBytes.DecodeLenient<ConsumerProtocolSubscription>(subscription).Topics);
            }
            catch (ProtocolException)
            {
                // Members may tell each other what they like; then nothing is known of their topics.
                return null;
            }
        }

        return topics;
    }
}
