namespace Millrace.Metadata.Configs;

/// <summary>What is in effect for one config, and what it overrides.</summary>
/// <param name="Definition">The config.</param>
/// <param name="Value">The value in effect; null for a password, or if there is none.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Synonyms">All places that give it a value, the one in effect first, the default last.</param>
public sealed record EffectiveConfig(ConfigDefinition Definition, string? Value, ConfigSource Source, IReadOnlyList<ConfigValue> Synonyms);
