using System.Collections.Frozen;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Network.Requests;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Membership;

/// <summary>
/// Which rack a client is in: as it says in its fetches (<c>client.rack</c>), else as its client id says in one of the dialects that there are, else as is set
/// of the listener that it came by.
/// </summary>
/// <remarks>
/// A client id says it in a part <c>zone=RACK</c> or <c>…_az=RACK</c>, among others behind commas, semicolons or ampersands: so clients say it to systems
/// that read it there, and produce and old clients have no other place for it.
/// </remarks>
/// <param name="self">This broker, with its settings.</param>
/// <param name="feed">Tells the settings of the cluster, and of this node's rack.</param>
internal sealed class ClientRacks(BrokerIdentity self, IMetadataFeed feed)
{
    private const string Zone = "zone";
    private const string ZoneEnding = "_az";

    // Not settable at run time, so they are looked up once.
    private readonly FrozenDictionary<ListenerName, string> _ofListeners =
        ConfigDefinition.ListItems(self.Configs.Broker(feed.Image, BrokerConfigs.ListenerRacks).AsText())
            .Select(static item => item.Split(':', StringSplitOptions.TrimEntries))
            .ToFrozenDictionary(static parts => new ListenerName(parts[0].ToUpperInvariant()), static parts => parts[1]);

    private readonly string? _own = self.Configs.Broker(feed.Image, BrokerConfigs.BrokerRack).Value;

    /// <summary>The rack of a request's sender; null where nothing says it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="stated">What the request itself says; empty where it says nothing.</param>
    public string? Of(RequestContext context, string stated = "") =>
        stated.Length > 0 ? stated
        : InClientId(context.ClientId) is { IsEmpty: false } rack ? rack.ToString()
        : _ofListeners.GetValueOrDefault(context.Connection.Listener);

    /// <summary>What passes between a client of a rack and this node crosses racks, as far as both are known.</summary>
    public bool IsElsewhere(string? rack) => rack is not null && _own is not null && rack != _own;

    /// <summary>The same of a node.</summary>
    public bool IsElsewhere(NodeId node) => IsElsewhere(feed.Image.Nodes.GetValueOrDefault(node)?.Rack);

    /// <summary>The rack that a client id names; empty where it names none.</summary>
    internal static ReadOnlySpan<char> InClientId(string? clientId)
    {
        var rest = clientId.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOfAny(',', ';', '&');
            var part = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            var equals = part.IndexOf('=');
            if (equals > 0 && part[..equals].Trim() is var key && (key.SequenceEqual(Zone) || key.EndsWith(ZoneEnding, StringComparison.Ordinal))
                && part[(equals + 1)..].Trim() is { IsEmpty: false } rack)
            {
                return rack;
            }
        }

        return [];
    }
}
