using System.Globalization;

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

    /// <summary>The value that was set, else the default; null if neither.</summary>
    public string? Text(string key) =>
        Values.GetValueOrDefault(key) ?? (ServerSettings.Find(key) ?? throw new ArgumentException($"No setting is named '{key}'")).Default;

    public long Number(string key) =>
        long.Parse(Text(key) ?? throw new ArgumentException($"'{key}' has no default"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    public TimeSpan Milliseconds(string key) => TimeSpan.FromMilliseconds(Number(key));

    /// <summary>The settings for a log: secrets are not shown.</summary>
    public override string ToString() => Values.Count == 0
        ? "(all by default)"
        : string.Join(", ", Values.Select(entry => $"{entry.Key}={(ServerSettings.Find(entry.Key) is { IsSensitive: false } ? entry.Value : "[hidden]")}"));
}
