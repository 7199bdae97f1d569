namespace Millrace.Coordination.Shards;

/// <summary>A batch that was handed to the log, and the answers that wait for it.</summary>
internal sealed class AppendUnderWay(int count, List<Reply> answers)
{
    /// <summary>How many records it has.</summary>
    public int Count => count;

    /// <summary>In the order given; those of operations that saw this batch's records and appended none come last.</summary>
    public List<Reply> Answers => answers;

    /// <summary>Whether it ends a part of a log that is written anew.</summary>
    public bool IsRewritten { get; set; }

    /// <summary>Of its first record. Of meaning once it is settled, and has not failed.</summary>
    public long BaseOffset { get; set; }

    /// <summary>The shard has heard how it ended.</summary>
    public bool IsSettled { get; set; }

    /// <summary>Why it failed, if it did. Of meaning once it is settled.</summary>
    public CoordinatorError? Error { get; set; }
}
