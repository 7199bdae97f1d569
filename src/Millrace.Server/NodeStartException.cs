namespace Millrace.Server;

/// <summary>The node cannot start as things are. The message says why and what can be done.</summary>
internal sealed class NodeStartException(string message, Exception? inner = null) : Exception(message, inner);
