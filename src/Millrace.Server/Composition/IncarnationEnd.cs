using Millrace.Controller.Log;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Server.Composition;

/// <summary>Judges what ended an incarnation, or kept one from starting.</summary>
internal static class IncarnationEnd
{
    /// <summary>The worst that is known of a reason and of what it was caused by; a fault if nothing is.</summary>
    public static EndKind KindOf(Exception reason)
    {
        EndKind? worst = null;
        for (var cause = reason; cause is not null; cause = cause.InnerException)
        {
            if (JudgeAlone(cause) is { } kind && (worst is null || kind > worst))
            {
                worst = kind;
            }
        }

        return worst ?? EndKind.Fault;
    }

    /// <summary>Null for what says nothing by itself, as does the failure of a background loop.</summary>
    private static EndKind? JudgeAlone(Exception cause) => cause switch
    {
        InvariantViolationException => EndKind.Fault,
        NodeStartException or SettingsException or ForeignBucketException or ProtocolException or InvalidDataException => EndKind.Lasting,
        StreamException stream => KindOf(stream.Error),
        ObjectLogException log => KindOf(log.Error),
        ObjectStorageException storage => KindOf(storage.Error),
        ControllerException or WalUnavailableException or IOException or UnauthorizedAccessException => EndKind.Passing,
        // All that it had is given back with it.
        OutOfMemoryException => EndKind.Passing,
        _ => null,
    };

    private static EndKind KindOf(StreamError error) => error switch
    {
        StreamError.Fenced or StreamError.ControllerLost or StreamError.WalFailed or StreamError.StorageUnavailable => EndKind.Passing,
        StreamError.Closed or StreamError.Unknown or StreamError.Incomplete or StreamError.OffsetOutOfRange or StreamError.PrepareExpired => EndKind.Passing,
        StreamError.Corrupt => EndKind.Lasting,
    };

    private static EndKind KindOf(ObjectLogError error) => error switch
    {
        ObjectLogError.Fenced or ObjectLogError.Closed or ObjectLogError.Trimmed => EndKind.Passing,
        ObjectLogError.Fork or ObjectLogError.Missing or ObjectLogError.Corrupt => EndKind.Lasting,
    };

    private static EndKind KindOf(ObjectStorageError error) => error switch
    {
        // Rights are granted anew, and where they are not there is a bound on how often it is tried.
        ObjectStorageError.Transient or ObjectStorageError.AccessDenied => EndKind.Passing,
        ObjectStorageError.Invalid => EndKind.Lasting,
    };
}
