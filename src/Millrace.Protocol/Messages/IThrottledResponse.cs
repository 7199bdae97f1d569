namespace Millrace.Protocol.Messages;

/// <summary>A response that can tell its client to pause.</summary>
public interface IThrottledResponse
{
    /// <summary>How long the broker reads nothing more of the client. Milliseconds. Versions that lack it drop it.</summary>
    int ThrottleTimeMs { get; set; }
}
