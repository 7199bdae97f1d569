namespace Millrace.ObjectStorage;

/// <summary>A call to an object store failed. The message names the store, the operation and the key, never a credential.</summary>
public sealed class ObjectStorageException(ObjectStorageError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ObjectStorageError Error => error;

    /// <summary>The store has no room for what it was to keep. It may have some later, so that the error is transient.</summary>
    public bool IsForWantOfRoom { get; init; }

    /// <summary>The store itself has said so, and will again: it is there, and so is the way to it.</summary>
    public bool IsAnswer => Error != ObjectStorageError.Transient || IsForWantOfRoom;
}
