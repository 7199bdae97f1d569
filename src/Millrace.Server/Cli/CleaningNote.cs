using Millrace.Metadata.Configs;

namespace Millrace.Server.Cli;

/// <summary>Tells whoever asks for log cleaning that there is none yet: a broker says it in its log alone, which few users see.</summary>
internal static class CleaningNote
{
    /// <param name="json">How notes look.</param>
    /// <param name="configs">What is set for a topic.</param>
    public static void Write(bool json, IEnumerable<KeyValuePair<string, string>> configs)
    {
        if (configs.Any(config => config.Key == TopicConfigs.CleanupPolicy && CleanupPolicy.Names(config.Value, CleanupPolicy.Compact)))
        {
            Messages.Note(
                json,
                $"{TopicConfigs.CleanupPolicy}={CleanupPolicy.Compact}: brokers of Millrace do not clean logs yet. "
                + "They keep every record, also those for whose key there is a newer one.");
        }
    }
}
