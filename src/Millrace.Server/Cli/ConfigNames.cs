using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>
/// The names of the configs that a topic or broker has. As Kafka's, our brokers remove a config that nobody knows without a word, and a
/// typing error would stay unseen.
/// </summary>
internal static class ConfigNames
{
    /// <exception cref="CommandFailedException">The resource has no config of one of these names.</exception>
    public static async Task CheckAsync(IAdminClient admin, ConfigResource resource, IEnumerable<string> names, TimeSpan timeout)
    {
        var described = await admin.DescribeConfigsAsync([resource], new DescribeConfigsOptions { RequestTimeout = timeout });
        Check(names, described[0].Entries.Keys, resource.Type);
    }

    /// <exception cref="CommandFailedException">One of the names is not known.</exception>
    public static void Check(IEnumerable<string> names, IReadOnlyCollection<string> known, ResourceType type)
    {
        foreach (var name in names.Where(name => !known.Contains(name)).Take(1))
        {
            throw new CommandFailedException(
                ExitCode.Usage, $"There is no {type.ToString().ToLowerInvariant()} config '{name}'.{Suggestion.OfParts(name, known)}");
        }
    }
}
