namespace Millrace.Coordination.Shards;

/// <summary>A coordinator, or the log below it, could not do what was asked.</summary>
public sealed class CoordinatorException(CoordinatorError error, string? message = null, Exception? inner = null)
    : Exception(message ?? $"The coordinator did not answer: {error}", inner)
{
    public CoordinatorError Error => error;
}
