using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Tests.Acceptance;

/// <summary>Makes a topic as an administrator would.</summary>
internal static class TestTopic
{
    public static async Task CreateAsync(string bootstrapServers, string name, int partitions, Dictionary<string, string>? configs = null, short replicas = 1)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = replicas, Configs = configs }]);
    }
}
