namespace Millrace.Metadata.Configs;

/// <summary>A value of a config and where it stands.</summary>
/// <param name="Name">The name it was set under.</param>
/// <param name="Value">As text; null if none.</param>
/// <param name="Source">Who set it.</param>
public readonly record struct ConfigValue(string Name, string? Value, ConfigSource Source);
