using Millrace.ObjectStorage;

namespace Millrace.Streams.Wal;

/// <summary>A WAL that is needed cannot be used. The message says why and what can be done.</summary>
public sealed class WalUnavailableException(WalDescriptor descriptor, string message, Exception? inner = null) : Exception(message, inner)
{
    public WalDescriptor Descriptor => descriptor;

    /// <summary>The medium refuses, which it may do no more the next time; else what is wrong stays so until somebody has seen to it.</summary>
    public bool MayPass => InnerException is IOException or UnauthorizedAccessException or ObjectStorageException;
}
