namespace Millrace.Cluster;

/// <summary>What becomes of a heartbeat. The numbers are those of the message.</summary>
internal enum HeartbeatOutcome : sbyte
{
    /// <summary>The controller knows that the node lives.</summary>
    Heard = 0,

    /// <summary>Whoever answers is not the controller that was asked.</summary>
    NotController = 1,

    /// <summary>The controller has given the sender up, for good.</summary>
    Fenced = 2,
}
