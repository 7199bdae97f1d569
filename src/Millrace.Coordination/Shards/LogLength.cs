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
    /// A log without any live record waits for one.
    /// </summary>
    public bool IsTooLong(int live) => !_holdsUnknown && live > 0 && _records - live > Math.Max(live / 2, spare);

    /// <summary>From here on the log is written anew.</summary>
    public void Mark() => _sinceMark = 0;

    /// <summary>What stands before the mark is of no use any more.</summary>
    public void CutAtMark() => _records = _sinceMark;
}
