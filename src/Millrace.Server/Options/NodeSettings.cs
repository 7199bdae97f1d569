using System.Globalization;

namespace Millrace.Server.Options;

/// <summary>A node's configuration as it was written: known keys with values that pass their checks.</summary>
internal sealed class NodeSettings
{
    private NodeSettings(IReadOnlyDictionary<string, string> values, IReadOnlyList<string> withoutEffect) =>
        (Values, WithoutEffect) = (values, withoutEffect);

    /// <summary>What was set, by key, in ordinal order; no defaults.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>Keys that were set and change nothing.</summary>
    public IReadOnlyList<string> WithoutEffect { get; }

    /// <summary>Checks entries; of one key the last counts, so that a command line overrides a file.</summary>
    /// <exception cref="SettingsException">Unknown keys, with suggestions, or bad values: all of them at once.</exception>
    public static NodeSettings From(IEnumerable<KeyValuePair<string, string>> entries)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var withoutEffect = new SortedSet<string>(StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var (key, value) in entries)
        {
            if (ServerSettings.WithoutEffect.Contains(key))
            {
                withoutEffect.Add(key);
            }
            else if (ServerSettings.Find(key) is not { } setting)
            {
                problems.Add($"Unknown setting '{key}'.{Suggestion.Question(key, ServerSettings.AllKeys)}");
            }
            else if (setting.Check(value) is { } problem)
            {
                problems.Add(setting.IsSensitive ? $"The value of '{key}' is not valid." : problem);
            }
            else
            {
                values[key] = value.Trim();
            }
        }

        return problems.Count == 0
            ? new NodeSettings(values, [.. withoutEffect])
            : throw new SettingsException(string.Join(Environment.NewLine, problems));
    }

    /// <summary>The value that was set, else the default; null if neither.</summary>
    public string? Text(string key) =>
        Values.GetValueOrDefault(key) ?? (ServerSettings.Find(key) ?? throw new ArgumentException($"No setting is named '{key}'")).Default;

    public long Number(string key) =>
        long.Parse(Text(key) ?? throw new ArgumentException($"'{key}' has no default"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    public TimeSpan Milliseconds(string key) => TimeSpan.FromMilliseconds(Number(key));

    public bool Flag(string key) => bool.Parse(Text(key) ?? throw new ArgumentException($"'{key}' has no default"));

    /// <summary>The settings for a log: secrets are not shown.</summary>
    public override string ToString() => Values.Count == 0
        ? "(all by default)"
        : string.Join(", ", Values.Select(entry => $"{entry.Key}={(ServerSettings.Find(entry.Key) is { IsSensitive: false } ? entry.Value : "[hidden]")}"));
}
