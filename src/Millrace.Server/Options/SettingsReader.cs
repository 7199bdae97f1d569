using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>
/// Sorts a configuration's entries into what is ours, what another system's settings mean here, what changes nothing, and what
/// must not be relied on. Finds all problems at once. Used for one configuration.
/// </summary>
internal sealed class SettingsReader
{
    private const string OneListener = "listener.name.";

    /// <summary>What somebody may have meant, who has written something unknown.</summary>
    private static readonly string[] Names =
        [
            .. ServerSettings.AllKeys, .. LogFolders.Keys, .. AutoMqSettings.Understood,
            .. HarmlessSettings.Groups.SelectMany(group => group.Keys).Where(key => !key.EndsWith('.')),
        ];

    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _harmless = [];
    private readonly List<string> _autoMq = [];
    private readonly List<string> _problems = [];
    private readonly List<SettingsRemark> _remarks = [];

    /// <exception cref="SettingsException">Some of it is unknown, has a bad value, or promises what is not there.</exception>
    public NodeSettings Read(IEnumerable<KeyValuePair<string, string>> entries)
    {
        // The last counts before anything is looked at: what a file says wrongly, the command line can put right.
        var written = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in entries)
        {
            written[key] = value.Trim();
        }

        foreach (var (key, value) in written)
        {
            Sort(key, value);
        }

        if (_autoMq.Count > 0)
        {
            Understand("AutoMQ", AutoMqSettings.Translate(written, _problems));
        }

        if (_values.ContainsKey(ServerSettings.Store) && _values.ContainsKey(ServerSettings.Wal))
        {
            // Nothing lies in a folder of the node's own.
            _harmless.AddRange(LogFolders.Keys.Where(written.ContainsKey));
        }
        else
        {
            Understand("Kafka", LogFolders.Translate(written));
        }

        if (_problems.Count > 0)
        {
            throw new SettingsException(string.Join(Environment.NewLine, _problems));
        }

        var settings = new NodeSettings(_values, _remarks);
        _remarks.AddRange(Explanations.Of(written, settings));
        _harmless.Sort(StringComparer.Ordinal);
        Say(LogLevel.Warning, _harmless, "These settings of Kafka have no effect here: {0}");
        Say(LogLevel.Warning, [.. _autoMq.Where(key => !AutoMqSettings.Understood.Contains(key))],
            "These settings of AutoMQ have no effect here: {0}. What there is instead: `millrace config reference`, names that begin with millrace.");
        return settings;
    }

    private void Sort(string key, string value)
    {
        if (BrokerDuties.ConfigNames.Contains(key))
        {
            _problems.Add($"{key} is kept by the cluster, and set while it runs: `millrace broker cordon` or `drain`, or as a config of one broker.");
        }
        else if (ScalerMemory.ConfigNames.Contains(key))
        {
            _problems.Add($"{key} is kept by the cluster, and set while it runs: `millrace config set`.");
        }
        else if (ServerSettings.Find(key) is { } setting)
        {
            Take(setting, value);
        }
        else if (RefusedSettings.Find(key) is { } refused)
        {
            SortRefused(key, value, refused);
        }
        else if (HarmlessSettings.Contains(key))
        {
            _harmless.Add(key);
        }
        else if (AutoMqSettings.Contains(key))
        {
            _autoMq.Add(key);
        }
        else if (key.StartsWith(OneListener, StringComparison.Ordinal) && key.IndexOf('.', OneListener.Length) is > 0 and var end)
        {
            SortForOneListener(key, key[(end + 1)..], value);
        }
        else if (!LogFolders.Keys.Contains(key))
        {
            _problems.Add($"Unknown setting '{key}'.{Suggestion.OfParts(key, Names)}");
        }
    }

    private void Take(ConfigDefinition setting, string value)
    {
        if (setting.Check(value) is { } problem)
        {
            _problems.Add(setting.IsSensitive ? $"The value of '{setting.Name}' is not valid." : problem);
        }
        else
        {
            _values[setting.Name] = value;
            if (!setting.HasEffect)
            {
                _harmless.Add(setting.Name);
            }
        }
    }

    private void SortRefused(string key, string value, RefusedSetting refused)
    {
        if (refused.Allows(value))
        {
            _harmless.Add(key);
        }
        else
        {
            _problems.Add($"{key}: {refused.Advice}");
        }
    }

    /// <summary>
    /// Kafka lets a listener have values of its own, with a SASL mechanism before the name, as in
    /// <c>listener.name.internal.plain.sasl.jaas.config</c>.
    /// </summary>
    private void SortForOneListener(string key, string rest, string value)
    {
        var sasl = rest.IndexOf(".sasl.", StringComparison.Ordinal);
        var name = sasl < 0 ? rest : rest[(sasl + 1)..];
        if (RefusedSettings.Find(name) is { } refused)
        {
            SortRefused(key, value, refused);
        }
        else if (HarmlessSettings.Contains(name))
        {
            _harmless.Add(key);
        }
        else
        {
            _problems.Add(ServerSettings.Find(name) is null
                ? $"Unknown setting '{key}'."
                : $"{key}: all listeners have one value here. Write {name} without the listener's name.");
        }
    }

    /// <summary>Another system's settings count where ours are not set.</summary>
    private void Understand(string system, IReadOnlyList<Translation> translations)
    {
        var said = new List<string>();
        foreach (var translation in translations.Where(translation => !_values.ContainsKey(translation.Key)))
        {
            Take(ServerSettings.Find(translation.Key)!, translation.Value);
            said.Add(translation.ToString());
        }

        Say(LogLevel.Information, said, $"Understood from settings of {system}: {{0}}", "; ");
    }

    private void Say(LogLevel level, List<string> items, string format, string separator = ", ")
    {
        if (items.Count > 0)
        {
            _remarks.Add(new SettingsRemark(level, format.Replace("{0}", string.Join(separator, items), StringComparison.Ordinal)));
        }
    }
}
