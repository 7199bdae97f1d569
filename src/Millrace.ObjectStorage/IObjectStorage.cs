using System.Buffers;

namespace Millrace.ObjectStorage;

/// <summary>
/// An object store: flat keys, immutable bodies. What the product needs of one, and no more; the start-up probe
/// (StorageProbe) checks each promise.
/// </summary>
/// <remarks>
/// Keys are relative to the store's own prefix: printable ASCII, '/' between parts, compared by ordinal.
/// Failures are <see cref="ObjectStorageException"/>s whose kind says what the caller may conclude.
/// Threading: any thread, any number of calls at once; implementations bound their own concurrency.
/// </remarks>
public interface IObjectStorage : IAsyncDisposable
{
    /// <summary>What messages call this store; carries no credentials.</summary>
    string Name { get; }

    /// <summary>Why this store cannot be relied on at present, as far as the calls of this process tell; null if nothing speaks against it.</summary>
    StoreTrouble? Trouble => null;

    /// <summary>
    /// Creates an object if there is none of that key (PUT If-None-Match: *), in one part and in exactly one attempt:
    /// retries are the caller's, since a lost answer must not be mistaken for a lost race.
    /// </summary>
    /// <returns>True if this call created it, false if the store refused because the key exists.</returns>
    /// <exception cref="ObjectStorageException">The outcome is unknown: the object may be there, now or later.</exception>
    ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token);

    /// <summary>Writes an object whose key nobody else uses, in parts if it is large; transient failures are retried inside.</summary>
    /// <param name="key">A key that only this caller writes.</param>
    /// <param name="body">Its buffers stay unchanged until the call completes.</param>
    /// <param name="token">Ends the attempt; the object may then be there or not.</param>
    ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token);

    /// <summary>The whole body, or null if there is no such object.</summary>
    ValueTask<byte[]?> GetAsync(string key, CancellationToken token);

    /// <summary>
    /// Fills <paramref name="destination"/> from a position of the body and returns the count, short only at the body's
    /// end; -1 if there is no such object.
    /// </summary>
    ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token);

    /// <summary>
    /// Objects whose keys begin with <paramref name="prefix"/>, in ordinal order, strongly consistent, after
    /// <paramref name="startAfter"/> (exclusive; null for all); at most <paramref name="limit"/> of them (1 to 1000).
    /// </summary>
    /// <returns>Fewer than the limit only at the end of the list.</returns>
    ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token);

    /// <summary>Deletes objects; absent ones are no error. Any number.</summary>
    ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token);

    /// <summary>Unfinished multipart uploads below a prefix (they cost money and no list of objects shows them).</summary>
    ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token);

    ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token);
}
