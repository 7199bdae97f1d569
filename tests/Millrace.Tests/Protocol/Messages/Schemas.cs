using Millrace.Metadata.Records;
using Millrace.Protocol.Generator.Schema;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Messages;

/// <summary>The schema files of messages, parsed, and the classes that were generated from them.</summary>
internal static class Schemas
{
    public static IReadOnlyDictionary<string, MessageSchema> Messages { get; } = Parse(Folder);

    /// <summary>What nodes and the controller say to each other beside Kafka's messages.</summary>
    public static IReadOnlyDictionary<string, MessageSchema> OfController { get; } =
        Parse(Path.Combine(Repository.Root, "src", "Millrace.Metadata", "Schemas", "Controller"));

    /// <summary>What our own command line asks brokers beside Kafka's messages.</summary>
    public static IReadOnlyDictionary<string, MessageSchema> OfClients { get; } =
        Parse(Path.Combine(Repository.Root, "src", "Millrace.Metadata", "Schemas", "Clients"));

    /// <summary>What brokers ask each other beside Kafka's messages.</summary>
    public static IReadOnlyDictionary<string, MessageSchema> OfPeers { get; } =
        Parse(Path.Combine(Repository.Root, "src", "Millrace.Metadata", "Schemas", "Peers"));

    public static string Folder => Path.Combine(Repository.Root, "src", "Millrace.Protocol", "Schemas");

    public static MessageSchema Find(string name) =>
        Messages.GetValueOrDefault(name) ?? OfClients.GetValueOrDefault(name) ?? OfPeers.GetValueOrDefault(name) ?? OfController[name];

    public static Type TypeOf(MessageSchema message) =>
        typeof(KafkaReader).Assembly.GetType($"Millrace.Protocol.{message.Name}")
        ?? typeof(MetadataEntry).Assembly.GetType($"Millrace.Metadata.{message.Name}", throwOnError: true)!;

    private static Dictionary<string, MessageSchema> Parse(string folder) =>
        Directory.EnumerateFiles(folder, "*.kmsg", SearchOption.AllDirectories)
            .SelectMany(file => SchemaParser.Parse(File.ReadAllText(file)).Messages)
            .OrderBy(message => message.Name, StringComparer.Ordinal)
            .ToDictionary(message => message.Name);
}
