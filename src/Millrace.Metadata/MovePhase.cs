namespace Millrace.Metadata;

/// <summary>How far a partition's move to another node is. The numbers are those of DescribeMoves.</summary>
public enum MovePhase : sbyte
{
    /// <summary>Its leader has not begun: the partition is not open yet, or others go first.</summary>
    Planned = 0,

    /// <summary>What it holds is uploaded while it serves.</summary>
    Uploading = 1,

    /// <summary>It serves nobody, requests for it wait, and the rest is uploaded.</summary>
    Stopped = 2,

    /// <summary>The next leader leads it, and reads what it needs to serve it.</summary>
    Opening = 3,

    /// <summary>The next leader leads it.</summary>
    Done = 4,

    /// <summary>The plan has ended before it: it stays with its leader.</summary>
    Cancelled = 5,

    /// <summary>Its leader can hand it over no more: its topic is deleted, or its stream was lost, which the log says.</summary>
    Lost = 6,
}
