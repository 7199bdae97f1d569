using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Objects;

/// <summary>Reads parts of data objects and checks them. Passing trouble of the store is sat out, for a while.</summary>
/// <remarks>An object that is gone is no error here: a reader that knew it may have been overtaken by trimming or compaction.</remarks>
/// <param name="runtime">Time and chance.</param>
/// <param name="options">The pauses.</param>
/// <param name="read">As <see cref="IObjectStorage.ReadAsync"/>: of a store, or through <see cref="SharedReads"/>.</param>
internal sealed class DataObjectReader(
    NodeRuntime runtime, StreamsOptions options, Func<string, long, Memory<byte>, CancellationToken, ValueTask<int>> read)
{
    private const int Attempts = 3;

    // One request usually brings index and footer: a thousand streams, or 32 MiB of blocks of one, fit.
    private const int TailBytes = 128 << 10;

    private readonly StoreRetry _retry = new(runtime, options.RetryDelay, options.RetryLimit) { Attempts = Attempts };

    /// <summary>Fills a buffer from an object; false if there is no such object.</summary>
    /// <exception cref="StreamException">StorageUnavailable; Corrupt if the object is too short.</exception>
    public async ValueTask<bool> ReadAsync(ObjectId id, long position, Memory<byte> destination, CancellationToken token)
    {
        var key = DataObjectKey.Of(id);
        try
        {
            var count = await _retry.UntilAnsweredAsync(() => read(key, position, destination, token), token);
            return count switch
            {
                < 0 => false,
                _ when count < destination.Length => throw Corrupt(id, $"it ends at {position + count}, and should reach {position + destination.Length}"),
                _ => true,
            };
        }
        catch (ObjectStorageException failure)
        {
            throw new StreamException(StreamError.StorageUnavailable, failure.Message, failure);
        }
    }

    /// <summary>How many bytes of an object are read to have its index; one that does not fit in there is read by itself.</summary>
    public static int TailOf(long objectSize) => (int)Math.Min(objectSize, TailBytes);

    /// <summary>Reads an object's index; null if there is no such object.</summary>
    /// <param name="id">The object.</param>
    /// <param name="objectSize">Its size, as the registry knows it.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="StreamException">StorageUnavailable, Corrupt.</exception>
    public async ValueTask<DataObjectIndex?> ReadIndexAsync(ObjectId id, long objectSize, CancellationToken token)
    {
        if (objectSize < DataObjectFooter.EncodedSize)
        {
            throw Corrupt(id, $"{objectSize} bytes are too few for one");
        }

        var tail = new byte[TailOf(objectSize)];
        if (!await ReadAsync(id, objectSize - tail.Length, tail, token))
        {
            return null;
        }

        var end = tail.AsSpan(tail.Length - DataObjectFooter.EncodedSize);
        if (DataObjectFooter.VersionOf(end) is { } version and not DataObjectFooter.Version)
        {
            throw new StreamException(
                StreamError.Corrupt,
                $"Object {DataObjectKey.Of(id)} has format {version}, and this program knows {DataObjectFooter.Version}: another version of Millrace wrote it");
        }

        if (DataObjectFooter.Read(end) is not { } footer
            || footer.Object != id || footer.ObjectSize != objectSize || footer.IndexLength < 0
            || footer.IndexPosition + footer.IndexLength + DataObjectFooter.EncodedSize != objectSize)
        {
            throw Corrupt(id, "its footer is not the one of this object");
        }

        var encoded = new byte[footer.IndexLength];
        var inTail = footer.IndexPosition - (objectSize - tail.Length);
        if (inTail >= 0)
        {
            tail.AsSpan((int)inTail, encoded.Length).CopyTo(encoded);
        }
        else if (!await ReadAsync(id, footer.IndexPosition, encoded, token))
        {
            return null;
        }

        return Crc32C.Of(encoded) == footer.IndexCrc && DataObjectIndex.Read(id, objectSize, encoded) is { } index
            ? index
            : throw Corrupt(id, "its index does not match its checksum");
    }

    /// <summary>Reads a checkpoint or an annex; null if there is no such object.</summary>
    public async ValueTask<byte[]?> ReadAttachmentAsync(ObjectId id, AttachmentEntry attachment, CancellationToken token)
    {
        var bytes = new byte[attachment.Length];
        if (bytes.Length > 0 && !await ReadAsync(id, attachment.Position, bytes, token))
        {
            return null;
        }

        return AttachmentEntry.For(attachment.Position, bytes) == attachment
            ? bytes
            : throw Corrupt(id, $"the attachment at {attachment.Position} does not match its checksum");
    }

    /// <summary>The store stopped while somebody waited for a read that several share.</summary>
    public static StreamException Stopped() => new(StreamError.Closed, "The stream store has stopped");

    public static StreamException Corrupt(ObjectId id, string what) =>
        new(StreamError.Corrupt, $"Object {DataObjectKey.Of(id)} is damaged: {what}");
}
