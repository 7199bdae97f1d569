using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>A node's configuration as it was written: known keys with values that pass their checks.</summary>
internal sealed class NodeSettings
{
    internal NodeSettings(IReadOnlyDictionary<string, string> values, IReadOnlyList<SettingsRemark> remarks) =>
        (Values, Remarks) = (values, remarks);

    /// <summary>What was set, by key, in ordinal order; no defaults. What other systems' settings mean stands under our names.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>What a start says about them in the log.</summary>
    public IReadOnlyList<SettingsRemark> Remarks { get; }

    /// <summary>Checks entries; of one key the last counts, so that a command line overrides a file.</summary>
    /// <exception cref="SettingsException">Unknown keys, with suggestions, bad values, or what must not be relied on here: all of them at once.</exception>
    public static NodeSettings From(IEnumerable<KeyValuePair<string, string>> entries) => new SettingsReader().Read(entries);

    /// <summary>The value that was set, else the default.</summary>
    public EffectiveConfig this[string key]
    {
        get
        {
            var definition = ServerSettings.Find(key) ?? throw new ArgumentException($"No setting is named '{key}'");
            return EffectiveConfig.Of(definition, Values.TryGetValue(key, out var set) ? [new ConfigValue(key, set, ConfigSource.StaticBroker)] : []);
        }
    }

    /// <summary>For a log: what is otherwise than by default. Secrets are not shown.</summary>
    public string Changed() => Show(Values.Keys.Select(key => this[key]).Where(setting => setting.Value != setting.Definition.Default));

    /// <summary>For a log: everything, defaults included.</summary>
    public string All() => Show(ServerSettings.AllKeys.Order(StringComparer.Ordinal).Select(key => this[key]));

    private static string Show(IEnumerable<EffectiveConfig> settings) => string.Join(
        ", ", settings.Select(one => $"{one.Definition.Name}={(one.Definition.IsSensitive ? "[hidden]" : one.Value)}").DefaultIfEmpty("none"));
}
