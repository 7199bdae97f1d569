namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>What a caller may conclude from a failure of an object log.</summary>
public enum ObjectLogError
{
    /// <summary>Somebody else has ended this term: its owner can never append again. The outcome of appends that fail with it is unknown.</summary>
    Fenced,

    /// <summary>The owner was disposed before the append was settled: its outcome is unknown.</summary>
    Closed,

    /// <summary>What was to be read has been trimmed: begin again from the newest snapshot, or from the boundary.</summary>
    Trimmed,

    /// <summary>An object belongs to another history than the one it follows: somebody has deleted from the log, or copied it. Stop.</summary>
    Fork,

    /// <summary>An entry that was acknowledged is not there. Stop.</summary>
    Missing,

    /// <summary>An object's bytes are not what was written, or it is no object of a log. Stop.</summary>
    Corrupt,
}
