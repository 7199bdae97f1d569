namespace Millrace.Controller.Nodes;

/// <summary>A node asks for an id that it cannot have. The message is for its operator.</summary>
public sealed class NodeIdException(string message) : Exception(message);
