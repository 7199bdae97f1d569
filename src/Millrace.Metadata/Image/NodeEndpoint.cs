namespace Millrace.Metadata.Image;

/// <summary>Where clients that come by a listener reach a node.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="Host">The name clients are told to connect to.</param>
/// <param name="Port">The port clients are told to connect to.</param>
public sealed record NodeEndpoint(ListenerName Listener, string Host, int Port)
{
    public override string ToString() => $"{Listener}://{Host}:{Port}";
}
