namespace Millrace.Coordination.Shards;

/// <summary>How many records a shard's log holds, and from when on it should be written anew.</summary>
/// <param name="spare">How many records a log may always hold beside the live ones: a short one loads fast whatever it holds.</param>
internal sealed class LogLength(int spare)
{
    private long _records;
    private long _sinceMark;
    private bool _holdsUnknown;

    /// <summary>The log was read from its start.</summary>
    /// <param name="records">How many records there were.</param>
    /// <param name="holdsUnknown">Whether some are of a kind that this version cannot write again: then the log stays as it is.</param>
    public void Loaded(long records, bool holdsUnknown) => (_records, _holdsUnknown) = (records, holdsUnknown);

    public void Appended(int records)
    {
        _records += records;
        _sinceMark += records;
    }

    /// <summary>
    /// Half as many dead records as live ones: loading takes half as long again as it must at most, and each record is written three times at most.
    /// Where nothing is live, all but the newest append is of no use.
    /// </summary>
    public bool IsTooLong(int live) => !_holdsUnknown && _records - live > Math.Max(live / 2, spare);

    /// <summary>The log is written anew, and begins with its newest records.</summary>
    /// <param name="newest">How many of those there are already.</param>
    public void Mark(int newest) => _sinceMark = newest;

    /// <summary>What stands before the mark is of no use any more.</summary>
    public void CutAtMark() => _records = _sinceMark;
}
