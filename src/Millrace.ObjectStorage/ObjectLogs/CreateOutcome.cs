namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>How a create ended, once that is known.</summary>
internal enum CreateOutcome
{
    /// <summary>The object is there, with this body.</summary>
    Mine,

    /// <summary>The key holds somebody else's object.</summary>
    Taken,

    /// <summary>The key was taken, and what took it has been trimmed.</summary>
    Gone,
}
