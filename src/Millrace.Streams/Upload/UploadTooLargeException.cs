namespace Millrace.Streams.Upload;

/// <summary>An upload cannot be done at once: there is no memory for it, or it is more than an object, or a write, can be.</summary>
/// <param name="reason">What was met. Nothing has been committed.</param>
internal sealed class UploadTooLargeException(Exception reason) : Exception(reason.Message, reason);
