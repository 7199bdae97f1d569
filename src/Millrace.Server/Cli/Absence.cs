using Confluent.Kafka;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>What commands say of a topic or group that is not there.</summary>
internal static class Absence
{
    /// <summary>With the topic that may have been meant.</summary>
    public static string OfTopic(IAdminClient client, string topic, TimeSpan timeout)
    {
        var known = client.GetMetadata(timeout).Topics.Select(other => other.Topic);
        return $"There is no topic '{topic}'.{Suggestion.Question(topic, known)} `millrace topic list` shows those there are.";
    }

    public static string OfGroup(string group) => $"There is no group '{group}'. `millrace group list` shows those there are.";
}
