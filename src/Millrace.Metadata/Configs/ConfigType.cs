namespace Millrace.Metadata.Configs;

/// <summary>What a config's value is. The numbers are those of Kafka's DescribeConfigs.</summary>
public enum ConfigType : sbyte
{
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}
