using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>Kafka's folders for logs are where a node's local files lie, unless <see cref="ServerSettings.DataDirectory"/> says otherwise.</summary>
internal static class LogFolders
{
    private const string One = "log.dir";
    private const string Several = "log.dirs";

    public static IReadOnlyList<string> Keys { get; } = [One, Several];

    public static IReadOnlyList<Translation> Translate(IReadOnlyDictionary<string, string> written)
    {
        // As in Kafka: what stands under the plural counts, where both are set.
        foreach (var key in new[] { Several, One })
        {
            if (written.TryGetValue(key, out var value) && ConfigDefinition.ListItems(value).ToArray() is { Length: > 0 } folders)
            {
                return [new Translation(key, ServerSettings.DataDirectory, folders[0], folders.Length > 1 ? "the first of its folders; one is used" : null)];
            }
        }

        return [];
    }
}
