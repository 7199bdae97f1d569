namespace Millrace.Controller.Log;

/// <summary>An object of a snapshot does not hold what was written to it, or is not there.</summary>
/// <param name="key">The object.</param>
/// <param name="message">What is wrong with it.</param>
/// <param name="inner">What noticed, or null.</param>
internal sealed class SnapshotDamageException(string key, string message, Exception? inner) : Exception(message, inner)
{
    public string Key => key;
}
