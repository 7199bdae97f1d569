using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>A topic that has to be there before anything is read from it or written to it.</summary>
internal static class KnownTopic
{
    /// <summary>Looks the topic up.</summary>
    /// <param name="client">Any client's; it must not ask for topics to be created.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="wanted">Partitions that it must have.</param>
    /// <param name="timeout">Ends the wait.</param>
    /// <param name="advice">What else there is to do where there is no such topic.</param>
    /// <returns>The indexes of its partitions, in order.</returns>
    /// <exception cref="CommandFailedException">There is no such topic or partition.</exception>
    public static IReadOnlyList<int> Partitions(Handle client, string topic, IEnumerable<int> wanted, TimeSpan timeout, string advice = "")
    {
        using var admin = new DependentAdminClientBuilder(client).Build();
        var metadata = admin.GetMetadata(topic, timeout).Topics[0];
        if (metadata.Error.Code == ErrorCode.UnknownTopicOrPart)
        {
            throw new CommandFailedException(ExitCode.NotFound, Absence.OfTopic(admin, topic, timeout) + advice);
        }

        // A topic of which a partition has no leader has an error, too, and is there.
        if (metadata.Error.IsError && metadata.Partitions.Count == 0)
        {
            throw new KafkaException(metadata.Error);
        }

        var all = metadata.Partitions.Select(partition => partition.PartitionId).Order().ToList();
        foreach (var partition in wanted.Except(all).Take(1))
        {
            throw new CommandFailedException(ExitCode.NotFound, $"Topic '{topic}' has no partition {partition}; it has {all.Count}.");
        }

        return all;
    }
}
