namespace Millrace.Metadata.Configs;

/// <summary>What a broker is there for. The numbers are those of DescribeNodes.</summary>
public enum BrokerDuty : sbyte
{
    /// <summary>It leads, and gets its share of what is new.</summary>
    All = 0,

    /// <summary>It gets no new partitions (KIP-1066), and goes on with what it leads.</summary>
    Cordoned = 1,

    /// <summary>It leads nothing, as long as there is another broker that can, and gets nothing.</summary>
    Drained = 2,
}
