namespace Millrace.ObjectStorage;

/// <summary>A call to an object store failed. The message names the store, the operation and the key, never a credential.</summary>
public sealed class ObjectStorageException(ObjectStorageError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ObjectStorageError Error => error;

    /// <summary>The store has no room for what it was to keep. It may have some later, so that the error is transient.</summary>
    public bool IsForWantOfRoom { get; init; }
}
