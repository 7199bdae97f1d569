using System.Globalization;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Which partitions a command is about: a topic's, or some of them.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Partitions">Their numbers; empty for all there are.</param>
internal sealed record TopicScope(string Topic, IReadOnlyList<int> Partitions)
{
    /// <param name="text">NAME or NAME:N,N,… No name has a colon.</param>
    /// <param name="what">The option or argument, as the user knows it.</param>
    public static TopicScope Parse(string text, string what)
    {
        var at = text.IndexOf(':', StringComparison.Ordinal);
        return at < 0 ? new(text, []) : new(text[..at], [.. text[(at + 1)..].Split(',').Select(number => Number(number, text, what)).Distinct()]);
    }

    /// <param name="there">How many partitions the topic has.</param>
    /// <exception cref="CommandFailedException">One that is named is not among them.</exception>
    public IEnumerable<TopicPartition> Resolve(int there)
    {
        foreach (var missing in Partitions.Where(number => number >= there).Take(1))
        {
            throw new CommandFailedException(ExitCode.NotFound, $"Topic '{Topic}' has no partition {missing}; it has {there}.");
        }

        return (Partitions.Count > 0 ? Partitions : Enumerable.Range(0, there)).Select(number => new TopicPartition(Topic, number));
    }

    private static int Number(string number, string text, string what) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
        ? partition
        : throw new CommandFailedException(ExitCode.Usage, $"{what} takes NAME or NAME:N,N,…, not '{text}'.");
}
