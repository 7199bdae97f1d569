using System.CommandLine;
using System.CommandLine.Completions;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Cli.Completion;

/// <summary>
/// Names of topics and groups, and ids of brokers, for the shell's completion, from the broker that the command line names so far. Somebody waits with a
/// finger on a key: a broker that does not answer at once has no names, and says nothing.
/// </summary>
internal static class BrokerNames
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static void AddTopics(this List<Func<CompletionContext, IEnumerable<CompletionItem>>> sources, ClientOptions client) =>
        sources.Add(context => Ask(context, client, admin => admin.GetMetadata(Patience).Topics
            .Select(topic => topic.Topic)
            .Where(topic => context.WordToComplete.StartsWith("__", StringComparison.Ordinal) || !topic.StartsWith("__", StringComparison.Ordinal))));

    public static void AddGroups(this List<Func<CompletionContext, IEnumerable<CompletionItem>>> sources, ClientOptions client) =>
        sources.Add(context => Ask(context, client, admin =>
        {
            // Without a broker, listing brings librdkafka 2 down (GroupListCommand).
            admin.GetMetadata(Patience);
            return admin.ListConsumerGroupsAsync(new ListConsumerGroupsOptions { RequestTimeout = Patience }).GetAwaiter().GetResult()
                .Valid.Select(group => group.GroupId);
        }));

    public static void AddBrokers(this List<Func<CompletionContext, IEnumerable<CompletionItem>>> sources, ClientOptions client) =>
        sources.Add(context => Ask(context, client, admin => admin.GetMetadata(Patience).Brokers.Select(broker => $"{broker.BrokerId}")));

    private static IEnumerable<string> Ask(CompletionContext context, ClientOptions client, Func<IAdminClient, IEnumerable<string>> ask)
    {
        if (context.WordToComplete.StartsWith('-'))
        {
            return [];
        }

        try
        {
            using var admin = client.Admin(context.ParseResult);
            return [.. ask(admin)];
        }
        catch (Exception failure) when (failure is KafkaException or CommandFailedException or InvalidOperationException or ArgumentException)
        {
            return [];
        }
    }
}
