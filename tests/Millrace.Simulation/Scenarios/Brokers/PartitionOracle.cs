using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What clients know of one partition: which record stands at which offset, because it was acknowledged or fetched.</summary>
internal sealed class PartitionOracle(SimulationKernel kernel, int partition)
{
    private readonly SortedDictionary<long, int> _decided = [];
    private readonly Dictionary<int, long> _offsets = [];

    // The records of each idempotent producer, in the order in which it sends them.
    private readonly List<List<int>> _idempotent = [];
    private int _records;

    public int Partition => partition;

    /// <summary>Everything below was acknowledged or fetched.</summary>
    public long End { get; private set; }

    /// <summary>The number of an idempotent producer that begins.</summary>
    public int NewIdempotentProducer()
    {
        _idempotent.Add([]);
        return _idempotent.Count - 1;
    }

    /// <summary>The number of a record that is about to be sent.</summary>
    /// <param name="idempotentProducer">Whose it is, if its producer is idempotent.</param>
    public int NextRecord(int? idempotentProducer = null)
    {
        if (idempotentProducer is { } producer)
        {
            _idempotent[producer].Add(_records);
        }

        return _records++;
    }

    /// <summary>A record's value: bytes that follow from its number.</summary>
    public static byte[] Value(int record, int padding)
    {
        var value = new byte[sizeof(int) + padding];
        value.AsSpan().Fill((byte)record);
        BinaryPrimitives.WriteInt32BigEndian(value, record);
        return value;
    }

    public void Acknowledged(long offset, int record)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Decide(offset, record);
    }

    public void Fetched(long offset, ReadOnlySpan<byte> value)
    {
        var record = BinaryPrimitives.ReadInt32BigEndian(value);
        Require(record < _records && !value[sizeof(int)..].ContainsAnyExcept((byte)record), $"the record at {offset} was never sent like that");
        Decide(offset, record);
    }

    /// <summary>Everything was fetched, from the first offset to the last: now it is known what is not there.</summary>
    public void Audited()
    {
        for (long offset = 0; offset < End; offset++)
        {
            Require(_decided.ContainsKey(offset), $"offset {offset} holds no record");
        }

        // In order, once, and without a gap: an idempotent producer sends nothing anew before what it sent is settled.
        foreach (var sent in _idempotent)
        {
            var arrived = sent.TakeWhile(_offsets.ContainsKey).Select(record => _offsets[record]).ToArray();
            Require(sent.Count(_offsets.ContainsKey) == arrived.Length, $"of the records {string.Join(' ', sent)} of an idempotent producer, one is missing");
            Require(arrived.SequenceEqual(arrived.Order()), $"the records {string.Join(' ', sent)} of an idempotent producer stand at {string.Join(' ', arrived)}");
            kernel.Coverage.Count("idempotent: records audited", arrived.Length);
        }
    }

    private void Decide(long offset, int record)
    {
        Require(!_decided.TryGetValue(offset, out var other) || other == record, $"offset {offset} holds record {record} for one, and {other} for another");
        Require(!_offsets.TryGetValue(record, out var elsewhere) || elsewhere == offset, $"record {record} stands at {offset} and at {elsewhere}");
        _decided[offset] = record;
        _offsets[record] = offset;
        End = Math.Max(End, offset + 1);
    }

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ViolationText otherwise)
    {
        if (!holds)
        {
            throw new ViolationException($"Partition {partition}: {otherwise.ToStringAndClear()}");
        }
    }
}
