namespace Millrace.Coordination.Shards;

/// <summary>
/// The state machine of one partition of a coordinator topic. Synchronous and free of I/O: operations look at the state and
/// say what to append and answer in a <see cref="CoordinatorResult{TRecord}"/>; timers do the same.
/// </summary>
/// <remarks>
/// Durable state changes in <see cref="Replay"/> alone, so that a shard loaded from its log equals the one that wrote it.
/// What an operation changes besides (who waits, for how long) is lost with the shard, and must not matter then.
/// Threading: one call at a time. Failure: a shard whose operation throws, or whose records could not be appended, is thrown
/// away and loaded anew.
/// </remarks>
internal interface ICoordinatorShard<TRecord>
{
    /// <summary>How many things it keeps (groups, say): for those who watch.</summary>
    int Count { get; }

    /// <summary>How many records its durable state takes: of all records ever replayed, those that still count.</summary>
    int LiveRecordCount { get; }

    /// <summary>
    /// The records of its durable state, which a shard can be loaded from. Read in parts between the operations: each is of the state as it is when it is
    /// read, and what changes or comes meanwhile, and has a record of its own, may be left out or come twice.
    /// </summary>
    IEnumerable<TRecord> LiveRecords();

    /// <summary>Applies one record: while loading, and at once for each record of an operation when the operation has returned.</summary>
    void Replay(TRecord record);

    /// <summary>All records have been replayed; starts timers and repairs what cannot wait. Called once, before any operation.</summary>
    CoordinatorResult<TRecord> OnLoaded();
}
