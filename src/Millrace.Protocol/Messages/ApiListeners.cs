namespace Millrace.Protocol.Messages;

/// <summary>Which listeners of Kafka serve an API.</summary>
[Flags]
public enum ApiListeners
{
    None = 0,
    Broker = 1,
    Controller = 2,
}
