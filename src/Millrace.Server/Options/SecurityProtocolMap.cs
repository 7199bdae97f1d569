using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>Kafka's <c>listener.security.protocol.map</c>: what each listener speaks. Only PLAINTEXT is spoken here.</summary>
internal sealed class SecurityProtocolMap
{
    private const string Setting = BrokerConfigs.ListenerSecurityProtocolMap;

    private const string Plaintext = "PLAINTEXT";
    private static readonly string[] Protocols = [Plaintext, "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

    private readonly Dictionary<ListenerName, string> _protocols = [];

    private SecurityProtocolMap()
    {
        // Its name says it, whatever else the map has.
        _protocols[ListenerName.Plaintext] = Plaintext;
    }

    /// <exception cref="SettingsException">It is no map of names to Kafka's protocols.</exception>
    public static SecurityProtocolMap Parse(string text)
    {
        var map = new SecurityProtocolMap();
        foreach (var item in ConfigDefinition.ListItems(text))
        {
            if (item.Split(':', StringSplitOptions.TrimEntries) is not [{ Length: > 0 } name, var protocol])
            {
                throw new SettingsException($"{Setting} takes NAME:PROTOCOL, not '{item}'.");
            }

            if (!Protocols.Contains(protocol, StringComparer.OrdinalIgnoreCase))
            {
                throw new SettingsException($"{Setting}: '{protocol}' is no protocol. Kafka's are {string.Join(", ", Protocols)}.");
            }

            map._protocols[new ListenerName(name.ToUpperInvariant())] = protocol.ToUpperInvariant();
        }

        return map;
    }

    /// <exception cref="SettingsException">The map does not say what the listener speaks, or it is not spoken here.</exception>
    public void RequireSpoken(ListenerUri listener, string setting)
    {
        if (!_protocols.TryGetValue(listener.Name, out var protocol))
        {
            throw new SettingsException($"{setting}: what the listener {listener.Name} speaks is not defined. Add {listener.Name}:{Plaintext} to {Setting}.");
        }

        if (protocol != Plaintext)
        {
            throw new SettingsException(
                $"{setting}: the listener {listener.Name} speaks {protocol}, and there is no TLS and no SASL here yet. Map it to {Plaintext} in {Setting}, "
                + "in a network that you trust or behind a proxy that ends TLS, or remove it.");
        }
    }
}
