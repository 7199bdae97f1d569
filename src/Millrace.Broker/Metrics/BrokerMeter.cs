namespace Millrace.Broker.Metrics;

/// <summary>The meter of everything that a broker measures.</summary>
internal static class BrokerMeter
{
    public const string Name = "Millrace.Broker";
}
