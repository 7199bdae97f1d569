namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>An operation on an object log failed; <see cref="Error"/> says what the caller may conclude.</summary>
public sealed class ObjectLogException(ObjectLogError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ObjectLogError Error => error;
}
