namespace Millrace.ObjectStorage;

/// <summary>A call to an object store failed. The message names the store, the operation and the key, never a credential.</summary>
public sealed class ObjectStorageException(ObjectStorageError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ObjectStorageError Error => error;
}
