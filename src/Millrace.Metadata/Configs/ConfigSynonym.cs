namespace Millrace.Metadata.Configs;

/// <summary>A broker config that a topic inherits from.</summary>
/// <param name="Name">The broker's name for it.</param>
/// <param name="Factor">What one unit of the broker's value is worth in the topic's (hours to milliseconds); 1 for the value as it stands.</param>
public readonly record struct ConfigSynonym(string Name, long Factor = 1);
