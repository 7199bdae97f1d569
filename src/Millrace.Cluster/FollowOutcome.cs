namespace Millrace.Cluster;

/// <summary>What becomes of a question for the metadata behind a place. The numbers are those of the message.</summary>
internal enum FollowOutcome : sbyte
{
    /// <summary>The answer has what there is.</summary>
    Followed = 0,

    /// <summary>Whoever answers is not the controller that was asked.</summary>
    NotController = 1,

    /// <summary>The place lies so far back that the bucket is to be read.</summary>
    TooFarBack = 2,
}
