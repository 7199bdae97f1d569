using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>
/// What is known of one WAL: what was appended, acknowledged, committed elsewhere, and shown by a recovery. Every recovery must
/// give a stretch of what was appended, from the committed part on, with everything that was ever acknowledged or shown.
/// </summary>
internal sealed class WalOracle(WalDescriptor descriptor)
{
    private static readonly StreamEpoch Epoch = new(7);
    private readonly List<(StreamRecord Record, byte[] Payload)> _appended = [];
    private readonly Dictionary<StreamId, long> _ends = [];
    private int _acknowledged = -1;
    private int _shown = -1;
    private int _end = int.MaxValue;

    public WalDescriptor Descriptor => descriptor;

    /// <summary>How many of the first records are held by committed objects.</summary>
    public int Committed { get; private set; }

    /// <summary>The metadata says that nothing of it is needed any more.</summary>
    public bool IsFinished { get; set; }

    /// <summary>A recovery has begun, and has not been completed.</summary>
    public bool IsBeingRecovered { get; set; }

    public int Appended => _appended.Count;

    /// <summary>Everything so far is acknowledged.</summary>
    public bool IsQuiet => _acknowledged == _appended.Count - 1;

    /// <summary>The next record of a stream, with recognisable bytes.</summary>
    public (int Number, StreamRecord Record) Next(StreamId stream, int count, int size)
    {
        var number = _appended.Count;
        var payload = new byte[sizeof(int) + size];
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
        payload.AsSpan(sizeof(int)).Fill((byte)(number * 31));
        var offset = _ends.GetValueOrDefault(stream);
        _ends[stream] = offset + count;
        var record = new StreamRecord(stream, Epoch, offset, count, MaxTimestamp: number, payload);
        _appended.Add((record, (byte[])payload.Clone()));
        return (number, record);
    }

    public void Acknowledged(int number)
    {
        Require(number <= _end, $"record {number} is acknowledged, after a recovery has ended with {_end}");
        _acknowledged = Math.Max(_acknowledged, number);
    }

    /// <summary>The metadata takes note; once a recovery has begun, only that one's word counts.</summary>
    public void Commit(int count, bool byRecovery)
    {
        if (byRecovery || !IsBeingRecovered)
        {
            Committed = Math.Max(Committed, count);
        }
    }

    /// <summary>A recovery yields a record; from now on every other recovery must, too.</summary>
    public int Shown(StreamRecord record, int? previous)
    {
        Require(record.Payload.Length >= sizeof(int), $"a record of {record.Payload.Length} bytes was never appended");
        var number = BinaryPrimitives.ReadInt32LittleEndian(record.Payload.Span);
        Require(number >= 0 && number < _appended.Count, $"record {number} was never appended");
        var (appended, payload) = _appended[number];
        Require(
            record with { Payload = default } == appended with { Payload = default } && record.Payload.Span.SequenceEqual(payload),
            $"record {number} is not what was appended");
        Require(number == previous + 1 || number <= Committed, $"record {number} comes after {previous}; committed are {Committed}");
        _shown = Math.Max(_shown, number);
        return number;
    }

    /// <summary>A recovery has yielded its last record.</summary>
    public void Ended(int? last)
    {
        var end = Math.Max(last ?? -1, Committed - 1);
        Require(end >= _acknowledged, $"the last recovered record is {end}, and {_acknowledged} was acknowledged");
        Require(end >= _shown, $"the last recovered record is {end}, and an earlier recovery had shown {_shown}");
        _end = Math.Min(_end, end);
    }

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ViolationText otherwise)
    {
        if (!holds)
        {
            throw new ViolationException($"{descriptor.Location}: {otherwise.ToStringAndClear()}");
        }
    }
}
