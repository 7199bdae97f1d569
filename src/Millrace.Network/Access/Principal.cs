namespace Millrace.Network.Access;

/// <summary>Who a client is, in Kafka's form <c>Type:name</c>.</summary>
internal sealed record Principal(string Type, string Name)
{
    public static Principal Anonymous { get; } = new("User", "ANONYMOUS");

    public override string ToString() => $"{Type}:{Name}";
}
