namespace Millrace.Streams;

/// <summary>The life of an open stream.</summary>
internal enum StreamPhase
{
    Open,

    /// <summary>Takes no appends any more; what it holds is being uploaded.</summary>
    Closing,

    /// <summary>Its range is closed in the registry.</summary>
    Closed,

    /// <summary>It ended for a reason not its owner's.</summary>
    Lost,
}
