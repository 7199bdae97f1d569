namespace Millrace.Metadata.Image;

/// <summary>Where other nodes of the cluster reach one, apart from all clients.</summary>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">Of its internal listener.</param>
public sealed record PeerAddress(string Host, int Port)
{
    public override string ToString() => $"{Host}:{Port}";
}
