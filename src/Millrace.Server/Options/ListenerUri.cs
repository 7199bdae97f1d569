using System.Net;
using System.Net.Sockets;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>A listener as Kafka's files write it: <c>NAME://HOST:PORT</c>. Names are read in capitals.</summary>
/// <param name="Name">The listener's.</param>
/// <param name="Address">Where it is.</param>
internal readonly record struct ListenerUri(ListenerName Name, HostPort Address)
{
    private const string Separator = "://";

    /// <summary>The listeners in a setting's value, by Kafka's rules for one list: each has a name of its own.</summary>
    /// <exception cref="SettingsException">Something is not of that form, or a name stands twice.</exception>
    public static IReadOnlyList<ListenerUri> ParseList(string text, string setting)
    {
        ListenerUri[] listeners = [.. ConfigDefinition.ListItems(text).Select(item => Parse(item, setting))];
        return listeners.Length == 0 ? throw new SettingsException($"{setting} is empty. It takes NAME{Separator}HOST:PORT, more of them behind commas.")
            : listeners.GroupBy(listener => listener.Name).FirstOrDefault(same => same.Count() > 1) is { } twice
                ? throw new SettingsException($"{setting}: {string.Join(" and ", twice)} have the same name. Each listener has a name of its own.")
            : listeners;
    }

    /// <summary>Kafka's rule for what is bound: no port twice, but for one IPv4 and one IPv6 address.</summary>
    /// <exception cref="SettingsException">A port stands twice.</exception>
    public static void RequireDistinctPorts(IReadOnlyList<ListenerUri> listeners, string setting)
    {
        foreach (var same in listeners.Where(listener => listener.Address.Port != 0).GroupBy(listener => listener.Address.Port))
        {
            if (same.Count() > 1 && !(same.Count() == 2 && FamilyOf(same.First()) is { } one && FamilyOf(same.Last()) is { } other && one != other))
            {
                throw new SettingsException($"{setting}: {string.Join(" and ", same)} have the same port. Each listener has a port of its own.");
            }
        }
    }

    public override string ToString() => $"{Name}{Separator}{Address}";

    private static ListenerUri Parse(string item, string setting)
    {
        var at = item.IndexOf(Separator, StringComparison.Ordinal);
        return at <= 0
            ? throw new SettingsException($"{setting} takes NAME{Separator}HOST:PORT, not '{item}'.")
            : new ListenerUri(new ListenerName(item[..at].ToUpperInvariant()), HostPort.Parse(item[(at + Separator.Length)..], setting));
    }

    private static AddressFamily? FamilyOf(ListenerUri listener) =>
        IPAddress.TryParse(listener.Address.Host, out var address) ? address.AddressFamily : null;
}
