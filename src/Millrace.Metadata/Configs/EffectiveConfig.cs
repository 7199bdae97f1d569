using System.Globalization;

namespace Millrace.Metadata.Configs;

/// <summary>What is in effect for one config, and what it overrides.</summary>
/// <remarks>The typed readings are of values that were checked when they were set; one that is read as what it cannot be is a fault of ours, and
/// throws.</remarks>
/// <param name="Definition">The config.</param>
/// <param name="Value">The value in effect; null for a password, or if there is none.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Synonyms">All places that give it a value, the one in effect first, the default last.</param>
public sealed record EffectiveConfig(ConfigDefinition Definition, string? Value, ConfigSource Source, IReadOnlyList<ConfigValue> Synonyms)
{
    /// <param name="definition">The config.</param>
    /// <param name="values">What it is set to, the strongest first; its default comes behind them.</param>
    public static EffectiveConfig Of(ConfigDefinition definition, IEnumerable<ConfigValue> values)
    {
        ConfigValue[] all =
        [
            .. values.Append(new ConfigValue(definition.Name, definition.Default, ConfigSource.Default))
                .Select(value => definition.IsSensitive ? value with { Value = null } : value),
        ];
        return new(definition, all[0].Value, all[0].Source, all);
    }

    /// <exception cref="InvalidOperationException">Nobody has set it, and it has no default.</exception>
    public string AsText() => Value?.Trim() ?? throw new InvalidOperationException($"{Definition.Name} has no value");

    public bool AsBoolean() => bool.Parse(AsText());

    public int AsInt() => int.Parse(AsText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    public long AsLong() => long.Parse(AsText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>Of a number of milliseconds; what is longer than the timers of this platform take is as long as those.</summary>
    public TimeSpan AsMilliseconds() => TimeSpan.FromMilliseconds(Math.Min(int.MaxValue, AsLong()));
}
