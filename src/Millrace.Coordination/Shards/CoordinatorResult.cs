namespace Millrace.Coordination.Shards;

/// <summary>
/// What one operation of a shard has to say: records to append as one batch, and answers to give once the records, and all
/// that the operation saw, are durable. An answer may go to a reply that an earlier operation left open.
/// </summary>
internal sealed class CoordinatorResult<TRecord>
{
    private readonly List<TRecord> _records = [];
    private readonly List<Reply> _answers = [];

    public IReadOnlyList<TRecord> Records => _records;

    public IReadOnlyList<Reply> Answers => _answers;

    /// <summary>
    /// The records mean the same in several batches, of which a crash may keep the first only: many removals, say. Else all of
    /// them fit in one batch, which the operation has to see to.
    /// </summary>
    public bool MaySplit { get; init; }

    public void Append(TRecord record) => _records.Add(record);

    public void Answer<TResponse>(Reply<TResponse> reply, TResponse response)
    {
        reply.Give(response);
        _answers.Add(reply);
    }
}
