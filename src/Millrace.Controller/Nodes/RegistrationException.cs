namespace Millrace.Controller.Nodes;

/// <summary>A node asks for an id that it cannot have, or does not fit those that live. The message is for its operator.</summary>
public sealed class RegistrationException(string message) : Exception(message);
