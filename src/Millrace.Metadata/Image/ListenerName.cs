namespace Millrace.Metadata.Image;

/// <summary>Names a listener, e.g. <c>PLAINTEXT</c>: the same name stands for the same network on every node.</summary>
/// <param name="Value">In capitals, as Kafka writes it whatever its operator wrote.</param>
public readonly record struct ListenerName(string Value)
{
    public static ListenerName Plaintext => new("PLAINTEXT");

    /// <summary>Of the listener for other nodes alone. No client is ever told of it, whatever its operator calls his own.</summary>
    public static ListenerName Internal => new("NODES");

    public override string ToString() => Value;
}
