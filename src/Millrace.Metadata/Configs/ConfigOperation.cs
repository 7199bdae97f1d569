namespace Millrace.Metadata.Configs;

/// <summary>What IncrementalAlterConfigs does to one config. The numbers are those of Kafka's messages.</summary>
public enum ConfigOperation : sbyte
{
    Set = 0,
    Delete = 1,
    Append = 2,
    Subtract = 3,
}
