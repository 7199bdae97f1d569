namespace Millrace.Controller.Log;

/// <summary>
/// A bucket holds what this program did not write and cannot use.
/// The message names the key, what was found and what to do; nothing was changed.
/// </summary>
public sealed class ForeignBucketException(string message, Exception? inner = null) : Exception(message, inner);
