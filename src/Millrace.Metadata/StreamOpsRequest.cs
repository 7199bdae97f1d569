namespace Millrace.Metadata;

/// <content>The ranges that are offered, and what a request asks for.</content>
public sealed partial class StreamOpsRequest
{
    /// <summary>How many operations it has that may change something.</summary>
    public long DeedCount =>
        (long)Creations + Opens.Count + Closes.Count + Trims.Count + Prepares.Count + Commits.Sum(commit => 1L + commit.Closes.Count) + Damages.Count;

    /// <summary>It is to change something, and does not only ask.</summary>
    public bool HasDeeds => DeedCount > 0;

    public sealed partial class CommittedRange : IRangeFields;
}
