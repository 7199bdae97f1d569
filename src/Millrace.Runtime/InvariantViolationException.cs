namespace Millrace.Runtime;

/// <summary>The code contradicts itself; continuing could damage data. Never caught to carry on.</summary>
public sealed class InvariantViolationException(string message) : Exception(message);
