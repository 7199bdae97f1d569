namespace Millrace.ObjectStorage;

/// <summary>What a caller may conclude from a failed call to an object store.</summary>
public enum ObjectStorageError
{
    /// <summary>Timeout, cut connection, 5xx, 409, throttling: try again; a write may or may not have happened, or happen later.</summary>
    Transient,

    /// <summary>The credentials do not permit the call.</summary>
    AccessDenied,

    /// <summary>The bucket, the endpoint or the request is wrong; trying again will not help.</summary>
    Invalid,
}
