namespace Millrace.Streams.Registry;

/// <summary>The controller's judgement of one range of a commit.</summary>
public enum RangeOutcome
{
    /// <summary>The whole range counts.</summary>
    Accepted,

    /// <summary>A first part was already committed; the rest counts.</summary>
    Cut,

    /// <summary>Nothing of it counts: all of it was committed already, or the stream is gone.</summary>
    Void,

    /// <summary>It does not follow the committed end: something before it is missing. Nothing of it counts, and the caller has lost data.</summary>
    Gap,
}
