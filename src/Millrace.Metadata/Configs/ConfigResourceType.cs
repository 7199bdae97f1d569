namespace Millrace.Metadata.Configs;

/// <summary>What a config belongs to. The numbers are those of Kafka's messages.</summary>
public enum ConfigResourceType : sbyte
{
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}
