using Millrace.Protocol.Generator.Schema;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Messages;

/// <summary>The schema files of the protocol, parsed, and the classes that were generated from them.</summary>
internal static class Schemas
{
    public static IReadOnlyDictionary<string, MessageSchema> Messages { get; } =
        Directory.EnumerateFiles(Folder, "*.kmsg", SearchOption.AllDirectories)
            .SelectMany(file => SchemaParser.Parse(File.ReadAllText(file)).Messages)
            .OrderBy(message => message.Name, StringComparer.Ordinal)
            .ToDictionary(message => message.Name);

    public static string Folder => Path.Combine(Repository.Root, "src", "Millrace.Protocol", "Schemas");

    public static Type TypeOf(MessageSchema message) =>
        typeof(KafkaReader).Assembly.GetType($"Millrace.Protocol.{message.Name}", throwOnError: true)!;
}
