namespace Millrace.Simulation.Scenarios;

/// <summary>An oracle has seen what must never happen.</summary>
public sealed class ViolationException(string message, Exception? inner = null) : Exception(message, inner);
