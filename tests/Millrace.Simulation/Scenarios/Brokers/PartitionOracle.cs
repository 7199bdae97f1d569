using System.Runtime.CompilerServices;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What clients know of one partition: which record stands at which offset, because it was acknowledged or fetched.</summary>
internal sealed class PartitionOracle(SimulationKernel kernel, TopicOracle topic, int partition)
{
    private readonly SortedDictionary<long, int> _decided = [];
    private readonly Dictionary<int, long> _offsets = [];

    // The records of each idempotent producer, in the order in which it sends them.
    private readonly List<List<int>> _idempotent = [];

    // By number: the length of the record's value.
    private readonly List<int> _lengths = [];
    private readonly HashSet<int> _refused = [];
    private readonly List<int> _unplaced = [];
    private readonly SortedDictionary<long, int> _epochs = [];

    public TopicOracle Topic => topic;

    public int Partition => partition;

    /// <summary>What the values of its records begin with.</summary>
    public int Tag => topic.Number * TopicOracle.MostPartitions + partition;

    /// <summary>Everything below was acknowledged or fetched.</summary>
    public long End { get; private set; }

    /// <summary>How many records were acknowledged.</summary>
    public long Acknowledgements { get; private set; }

    /// <summary>The leader's epoch under which each batch that was fetched was written, by its first offset.</summary>
    public IReadOnlyDictionary<long, int> Epochs => _epochs;

    /// <summary>Nothing below is there any more: a deletion up to here was acknowledged.</summary>
    public long TrimmedTo { get; private set; }

    /// <summary>What is below may not be there any more: a deletion up to here was sent.</summary>
    public long TrimSent { get; private set; }

    public void Trimming(long offset) => TrimSent = Math.Max(TrimSent, offset);

    public void Trimmed(long offset)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        TrimmedTo = Math.Max(TrimmedTo, offset);
    }

    /// <summary>Somebody was told where the partition begins.</summary>
    /// <param name="offset">There.</param>
    /// <param name="trimmedBefore">What <see cref="TrimmedTo"/> was when it was asked.</param>
    public void Begins(long offset, long trimmedBefore) =>
        Require(offset >= trimmedBefore && offset <= TrimSent, $"it begins at {offset}; it was trimmed to {trimmedBefore}, and to {TrimSent} at most");

    /// <summary>The number of an idempotent producer that begins.</summary>
    public int NewIdempotentProducer()
    {
        _idempotent.Add([]);
        return _idempotent.Count - 1;
    }

    /// <summary>The number of a record that is about to be sent.</summary>
    /// <param name="length">Of its value.</param>
    /// <param name="idempotentProducer">Whose it is, if its producer is idempotent.</param>
    public int NextRecord(int length, int? idempotentProducer = null)
    {
        if (idempotentProducer is { } producer)
        {
            _idempotent[producer].Add(_lengths.Count);
        }

        _lengths.Add(length);
        return _lengths.Count - 1;
    }

    /// <summary>A record's value.</summary>
    public byte[] Value(int record) => RecordValue.Of(Tag, record, _lengths[record]);

    public void Acknowledged(long offset, int record)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Acknowledgements++;
        Decide(offset, record);
    }

    /// <summary>It was acknowledged, and nobody said where it stands.</summary>
    public void AcknowledgedSomewhere(int record)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        _unplaced.Add(record);
    }

    /// <summary>It was refused for what it is: it is nowhere, and never will be.</summary>
    public void Refused(int record)
    {
        Require(!_offsets.TryGetValue(record, out var offset), $"record {record} was refused, and stands at {offset}");
        _refused.Add(record);
    }

    public void Fetched(long offset, ReadOnlySpan<byte> value)
    {
        var (tag, record) = RecordValue.Read(value);
        Require(tag == Tag, $"the record at {offset} is {record} of {tag}, and this is {Tag}");
        Require((uint)record < (uint)_lengths.Count && value.SequenceEqual(Value(record)), $"record {record} at {offset} was never sent like that");
        Decide(offset, record);
    }

    /// <summary>A batch was fetched: it is of one leader's epoch for all.</summary>
    public void WrittenIn(long offset, int epoch)
    {
        Require(!_epochs.TryGetValue(offset, out var other) || other == epoch, $"the batch at {offset} is of epoch {epoch} for one, and {other} for another");
        _epochs[offset] = epoch;
    }

    /// <summary>Everything that is there was fetched: now it is known what is not there.</summary>
    public void Audited()
    {
        for (var offset = TrimSent; offset < End; offset++)
        {
            Require(_decided.ContainsKey(offset), $"offset {offset} holds no record");
        }

        var newest = -1;
        foreach (var (offset, epoch) in _epochs)
        {
            Require(epoch >= newest, $"the batch at {offset} is of epoch {epoch}, and one before it of {newest}");
            newest = epoch;
        }

        foreach (var sent in _idempotent)
        {
            AuditIdempotent(sent);
        }

        var missing = _unplaced.Count(record => !_offsets.ContainsKey(record));
        Require(missing <= Unseen(0, TrimSent), $"{missing} records that were acknowledged are nowhere");
        kernel.Coverage.Count("clients: records of acks 0 audited", _unplaced.Count);
    }

    /// <summary>
    /// In order, once, and without a gap: an idempotent producer sends nothing anew before what it sent is settled. What was trimmed
    /// before anybody saw it may have been there.
    /// </summary>
    private void AuditIdempotent(List<int> sent)
    {
        var (previous, missing) = (-1L, 0);
        foreach (var record in sent)
        {
            if (!_offsets.TryGetValue(record, out var offset))
            {
                missing++;
                continue;
            }

            Require(
                offset > previous,
                $"of the records {string.Join(' ', sent)} of an idempotent producer, {record} stands at {offset}, and the one before it at {previous}");
            Require(
                missing <= Unseen(previous + 1, offset),
                $"of the records {string.Join(' ', sent)} of an idempotent producer, {missing} are missing before {record} at {offset}");
            (previous, missing) = (offset, 0);
            kernel.Coverage.Count("idempotent: records audited");
        }
    }

    /// <summary>How many records below an offset were trimmed before anybody saw them, at most.</summary>
    private int Unseen(long from, long to)
    {
        var count = 0;
        for (var offset = from; offset < Math.Min(to, TrimSent); offset++)
        {
            count += _decided.ContainsKey(offset) ? 0 : 1;
        }

        return count;
    }

    private void Decide(long offset, int record)
    {
        Require(!_decided.TryGetValue(offset, out var other) || other == record, $"offset {offset} holds record {record} for one, and {other} for another");
        Require(!_offsets.TryGetValue(record, out var elsewhere) || elsewhere == offset, $"record {record} stands at {offset} and at {elsewhere}");
        Require(!_refused.Contains(record), $"record {record}, which was refused, stands at {offset}");
        _decided[offset] = record;
        _offsets[record] = offset;
        End = Math.Max(End, offset + 1);
    }

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ViolationText otherwise)
    {
        if (!holds)
        {
            throw new ViolationException($"Partition {topic.Name}-{partition} ({topic.Number}): {otherwise.ToStringAndClear()}");
        }
    }
}
