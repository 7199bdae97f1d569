namespace Millrace.Streams;

/// <summary>Why the stream store refused or gave up.</summary>
public enum StreamError
{
    /// <summary>Another owner, or another incarnation of this node, has taken the stream: this owner can never write it again.</summary>
    Fenced,

    /// <summary>
    /// Whoever was asked is not the cluster's controller any more. It says nothing of the stream or its owner, and whether the deed was done is not
    /// known: it is asked for again, of the next controller.
    /// </summary>
    ControllerLost,

    /// <summary>The stream is closed, or closing, on this node.</summary>
    Closed,

    /// <summary>There is no such stream, or it has been deleted.</summary>
    Unknown,

    /// <summary>The range of a former owner is not known to be complete: its WAL has not been recovered.</summary>
    Incomplete,

    /// <summary>The offset lies outside [start offset, confirm offset].</summary>
    OffsetOutOfRange,

    /// <summary>The WAL failed; whether the append is durable is not known, and this incarnation acknowledges nothing more.</summary>
    WalFailed,

    /// <summary>The object store does not answer, or not in time.</summary>
    StorageUnavailable,

    /// <summary>
    /// An object of the commit is no longer prepared: its deadline passed, and it may be deleted at any moment. Nothing of the
    /// commit counts; the data is uploaded again under new ids.
    /// </summary>
    PrepareExpired,

    /// <summary>Stored bytes do not match their checksum, or a part that must exist is missing.</summary>
    Corrupt,
}
