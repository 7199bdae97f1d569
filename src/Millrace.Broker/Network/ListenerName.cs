namespace Millrace.Broker.Network;

/// <summary>Names a listener, e.g. <c>PLAINTEXT</c>.</summary>
public readonly record struct ListenerName(string Value)
{
    public static ListenerName Plaintext => new("PLAINTEXT");

    public override string ToString() => Value;
}
