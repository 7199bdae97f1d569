namespace Millrace.Broker.Network;

/// <summary>A peer sent what cannot be a request. Its connection is closed.</summary>
internal sealed class InvalidFrameException(string message) : Exception(message);
