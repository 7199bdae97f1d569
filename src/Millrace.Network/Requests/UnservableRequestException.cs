namespace Millrace.Network.Requests;

/// <summary>A peer sent what cannot be a request, or one that it may not send. Its connection is closed, as by Kafka.</summary>
internal sealed class UnservableRequestException(string message) : Exception(message);
