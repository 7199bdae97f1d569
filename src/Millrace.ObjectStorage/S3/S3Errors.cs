using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace Millrace.ObjectStorage.S3;

/// <summary>What a failure of the S3 client means to us.</summary>
internal static class S3Errors
{
    // Of nginx and MinIO: the server took the client for gone. So it was, if it had been stopped for a while and goes on now.
    private const HttpStatusCode ClientClosedRequest = (HttpStatusCode)499;

    public static bool IsAbsent(AmazonS3Exception failure) =>
        failure.StatusCode == HttpStatusCode.NotFound && failure.ErrorCode is not ("NoSuchBucket" or "NoSuchUpload");

    public static bool IsPreconditionFailed(AmazonS3Exception failure) => failure.StatusCode == HttpStatusCode.PreconditionFailed;

    public static bool IsPastTheEnd(AmazonS3Exception failure) => failure.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable;

    /// <summary>True for everything that the client may throw when a call failed; not for our own faults.</summary>
    public static bool IsFailure(Exception failure) =>
        failure is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or OperationCanceledException or TimeoutException;

    public static ObjectStorageError Classify(Exception failure) => failure switch
    {
        AmazonServiceException { ErrorCode: "QuotaExceeded" or "RequestTimeout" or "SlowDown" } => ObjectStorageError.Transient,
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => ObjectStorageError.AccessDenied,
        AmazonServiceException { StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests } =>
            ObjectStorageError.Transient,
        AmazonServiceException { StatusCode: ClientClosedRequest } => ObjectStorageError.Transient,
        AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed } => ObjectStorageError.Invalid,
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError or 0 } => ObjectStorageError.Transient,
        AmazonServiceException => ObjectStorageError.Invalid,
        AmazonClientException when failure.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) => ObjectStorageError.AccessDenied,
        _ => ObjectStorageError.Transient,
    };

    /// <summary>The server has no room left: 507 by the book, or a code of its make.</summary>
    public static bool IsForWantOfRoom(Exception failure) => failure is
        AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage }
        or AmazonServiceException { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" };

    /// <summary>What to tell people: the server's own words, and its code.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        AmazonServiceException { StatusCode: not 0 } answer => $"{(int)answer.StatusCode} {answer.ErrorCode}: {answer.Message}",
        _ => failure.Message,
    };
}
