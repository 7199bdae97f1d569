using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using static Millrace.Metadata.Configs.BrokerConfigs;

namespace Millrace.Server.Options;

/// <summary>Reads Kafka's settings about listeners, by Kafka's rules for which of them go together.</summary>
/// <remarks>
/// Deviations, each for files that cannot be meant otherwise: PLAINTEXT need not stand in the protocol map; without
/// <c>inter.broker.listener.name</c> the first listener that is advertised is taken where none is named PLAINTEXT; a listener on every interface
/// that <c>advertised.listeners</c> says nothing of is advertised by the host's name.
/// </remarks>
internal static class ListenerReader
{
    /// <exception cref="SettingsException">Something does not fit together.</exception>
    public static ListenerOptions Read(NodeSettings settings)
    {
        var all = ListenerUri.ParseList(settings[Listeners].AsText(), Listeners);
        ListenerUri.RequireDistinctPorts(all, Listeners);
        var controllers = ConfigDefinition.ListItems(settings[ControllerListenerNames].Value ?? "").Select(NameOf).ToHashSet();
        ListenerUri[] clients = [.. all.Where(listener => !controllers.Contains(listener.Name))];
        if (clients.Length == 0)
        {
            throw new SettingsException(
                $"{Listeners}: all of them are controllers' ({ControllerListenerNames}), and none is for clients. "
                + "Every node is a broker here: add one, such as PLAINTEXT://:9092.");
        }

        var protocols = SecurityProtocolMap.Parse(settings[ListenerSecurityProtocolMap].AsText());
        foreach (var listener in clients)
        {
            protocols.RequireSpoken(listener, Listeners);
        }

        var advertised = ReadAdvertised(settings, all, controllers);
        Listener[] bound = [.. clients.Select(client => new Listener(client.Name, client.Address, AdvertisedOf(client, advertised)))];
        var interBroker =
            FindInterBroker(settings, [.. bound.Where(listener => listener.Advertised is not null).Select(listener => listener.Name)], controllers);
        return new ListenerOptions(
            bound,
            interBroker,
            InternalOf(settings, bound.First(listener => listener.Name == interBroker)),
            [.. all.Where(listener => controllers.Contains(listener.Name)).Select(listener => listener.ToString())]);
    }

    /// <summary>Where other nodes come: as was set, else at a free port of the host by which brokers reach one another.</summary>
    private static Listener InternalOf(NodeSettings settings, Listener interBroker)
    {
        var bind = settings[ServerSettings.InternalListener].Value is { } text
            ? HostPort.Parse(text, ServerSettings.InternalListener)
            : interBroker.Bind with { Port = 0 };
        return new Listener(ListenerName.Internal, bind, bind.IsEveryInterface ? interBroker.Advertised!.Value with { Port = bind.Port } : bind);
    }

    private static HostPort? AdvertisedOf(ListenerUri client, Dictionary<ListenerName, HostPort>? advertised) =>
        advertised is null ? client.Address
        : advertised.TryGetValue(client.Name, out var address) ? address
        : null;

    /// <summary>What is advertised, by listener; null if nothing was said of it: then all are, where they are bound.</summary>
    private static Dictionary<ListenerName, HostPort>? ReadAdvertised(
        NodeSettings settings, IReadOnlyList<ListenerUri> all, HashSet<ListenerName> controllers)
    {
        if (settings[AdvertisedListeners].Value is not { } text)
        {
            return null;
        }

        var advertised = ListenerUri.ParseList(text, AdvertisedListeners);
        foreach (var listener in advertised)
        {
            if (!all.Any(known => known.Name == listener.Name) && !controllers.Contains(listener.Name))
            {
                throw new SettingsException(
                    $"{AdvertisedListeners} names the listener {listener.Name}, and {Listeners} has none of that name, "
                    + $"only {Join(all.Select(known => known.Name))}.");
            }

            if (listener.Address.IsEveryInterface || listener.Address.Port == 0)
            {
                throw new SettingsException(
                    $"{AdvertisedListeners}: clients cannot connect to {listener}. It must name a host and a port that they can connect to.");
            }
        }

        return advertised.Any(listener => !controllers.Contains(listener.Name))
            ? advertised.ToDictionary(listener => listener.Name, listener => listener.Address)
            : throw new SettingsException(
                $"{AdvertisedListeners} has only controllers' listeners ({ControllerListenerNames}). Add those of clients, or leave it out.");
    }

    private static ListenerName FindInterBroker(NodeSettings settings, IReadOnlyList<ListenerName> advertised, HashSet<ListenerName> controllers)
    {
        if (settings[InterBrokerListenerName].Value is not { } text)
        {
            return advertised.Contains(ListenerName.Plaintext) ? ListenerName.Plaintext : advertised[0];
        }

        var name = NameOf(text);
        return controllers.Contains(name)
                ? throw new SettingsException(
                    $"{InterBrokerListenerName} is {name}, which is a controllers' listener ({ControllerListenerNames}). "
                    + $"It takes one of {Join(advertised)}.")
            : !advertised.Contains(name)
                ? throw new SettingsException($"{InterBrokerListenerName} is {name}, and no listener of that name is advertised, only {Join(advertised)}.")
            : name;
    }

    private static ListenerName NameOf(string text) => new(text.Trim().ToUpperInvariant());

    private static string Join(IEnumerable<ListenerName> names) => string.Join(", ", names);
}
