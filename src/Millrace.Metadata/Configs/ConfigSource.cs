namespace Millrace.Metadata.Configs;

/// <summary>Where a config's value comes from. The numbers are those of Kafka's messages.</summary>
public enum ConfigSource : sbyte
{
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
}
