using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>Reads Kafka's settings about listeners, by Kafka's rules for which of them go together.</summary>
/// <remarks>
/// Deviations, each for files that cannot be meant otherwise: PLAINTEXT need not stand in the protocol map; without
/// <c>inter.broker.listener.name</c> the first listener that is advertised is taken where none is named PLAINTEXT; a listener on every interface
/// that <c>advertised.listeners</c> says nothing of is advertised by the host's name.
/// </remarks>
internal static class ListenerReader
{
    public const string Listeners = "listeners";
    public const string Advertised = "advertised.listeners";
    private const string InterBroker = "inter.broker.listener.name";
    private const string Controllers = "controller.listener.names";

    /// <exception cref="SettingsException">Something does not fit together.</exception>
    public static ListenerOptions Read(NodeSettings settings)
    {
        var all = ListenerUri.ParseList(settings.Text(Listeners)!, Listeners);
        ListenerUri.RequireDistinctPorts(all, Listeners);
        var controllers = ConfigDefinition.ListItems(settings.Text(Controllers) ?? "").Select(NameOf).ToHashSet();
        ListenerUri[] clients = [.. all.Where(listener => !controllers.Contains(listener.Name))];
        if (clients.Length == 0)
        {
            throw new SettingsException(
                $"{Listeners}: all of them are controllers' ({Controllers}), and none is for clients. "
                + "Every node is a broker here: add one, such as PLAINTEXT://:9092.");
        }

        var protocols = SecurityProtocolMap.Parse(settings.Text(SecurityProtocolMap.Setting)!);
        foreach (var listener in clients)
        {
            protocols.RequireSpoken(listener, Listeners);
        }

        var advertised = ReadAdvertised(settings, all, controllers);
        Listener[] bound = [.. clients.Select(client => new Listener(client.Name, client.Address, AdvertisedOf(client, advertised)))];
        return new ListenerOptions(
            bound,
            FindInterBroker(settings, [.. bound.Where(listener => listener.Advertised is not null).Select(listener => listener.Name)], controllers),
            [.. all.Where(listener => controllers.Contains(listener.Name)).Select(listener => listener.ToString())]);
    }

    private static HostPort? AdvertisedOf(ListenerUri client, Dictionary<ListenerName, HostPort>? advertised) =>
        advertised is null ? client.Address
        : advertised.TryGetValue(client.Name, out var address) ? address
        : null;

    /// <summary>What is advertised, by listener; null if nothing was said of it: then all are, where they are bound.</summary>
    private static Dictionary<ListenerName, HostPort>? ReadAdvertised(
        NodeSettings settings, IReadOnlyList<ListenerUri> all, HashSet<ListenerName> controllers)
    {
        if (settings.Text(Advertised) is not { } text)
        {
            return null;
        }

        var advertised = ListenerUri.ParseList(text, Advertised);
        foreach (var listener in advertised)
        {
            if (!all.Any(known => known.Name == listener.Name) && !controllers.Contains(listener.Name))
            {
                throw new SettingsException(
                    $"{Advertised} names the listener {listener.Name}, and {Listeners} has none of that name, "
                    + $"only {Join(all.Select(known => known.Name))}.");
            }

            if (listener.Address.IsEveryInterface || listener.Address.Port == 0)
            {
                throw new SettingsException(
                    $"{Advertised}: clients cannot connect to {listener}. It must name a host and a port that they can connect to.");
            }
        }

        return advertised.Any(listener => !controllers.Contains(listener.Name))
            ? advertised.ToDictionary(listener => listener.Name, listener => listener.Address)
            : throw new SettingsException($"{Advertised} has only controllers' listeners ({Controllers}). Add those of clients, or leave it out.");
    }

    private static ListenerName FindInterBroker(NodeSettings settings, IReadOnlyList<ListenerName> advertised, HashSet<ListenerName> controllers)
    {
        if (settings.Text(InterBroker) is not { } text)
        {
            return advertised.Contains(ListenerName.Plaintext) ? ListenerName.Plaintext : advertised[0];
        }

        var name = NameOf(text);
        return controllers.Contains(name)
                ? throw new SettingsException($"{InterBroker} is {name}, which is a controllers' listener ({Controllers}). It takes one of {Join(advertised)}.")
            : !advertised.Contains(name)
                ? throw new SettingsException($"{InterBroker} is {name}, and no listener of that name is advertised, only {Join(advertised)}.")
            : name;
    }

    private static ListenerName NameOf(string text) => new(text.Trim().ToUpperInvariant());

    private static string Join(IEnumerable<ListenerName> names) => string.Join(", ", names);
}
