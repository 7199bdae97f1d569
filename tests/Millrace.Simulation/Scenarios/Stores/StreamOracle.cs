using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Streams;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>
/// What everyone together knows of one stream: what was ever appended at which offset, and what is decided, because it was
/// acknowledged or shown to a reader. Decided records never change, never vanish, and leave no gap.
/// </summary>
internal sealed class StreamOracle(SimulationKernel kernel, StreamId id)
{
    private readonly List<(StreamEpoch Epoch, long BaseOffset, long Count)> _attempts = [];
    private readonly SortedDictionary<long, int> _decided = [];
    private long _decidedEnd;
    private long _trimmedTo;
    private StreamEpoch _newestEpoch;
    private long _openedAt;

    public StreamId Id => id;

    /// <summary>The next epoch to open it at: the metadata's part, taken over by the scenario.</summary>
    public long LastEpoch { get; set; }

    /// <summary>An owner is about to append; the payload says which attempt it is.</summary>
    public int Attempt(StreamEpoch epoch, long baseOffset, long count, Span<byte> payload)
    {
        var number = _attempts.Count;
        _attempts.Add((epoch, baseOffset, count));
        Fill(number, payload);
        return number;
    }

    public void Acknowledged(int number)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        var (epoch, baseOffset, _) = _attempts[number];
        Require(
            epoch >= _newestEpoch || baseOffset < _openedAt,
            $"offset {baseOffset} is acknowledged at epoch {epoch}, and epoch {_newestEpoch} began at {_openedAt}");
        Decide(number);
    }

    /// <summary>A new owner has opened the stream, and says that it ends here.</summary>
    public void Opened(IStream stream)
    {
        if (stream.Epoch < _newestEpoch)
        {
            // A zombie hears only now that it was let in, before its successor was. It will acknowledge nothing.
            kernel.Coverage.Count("store: opened too late");
            return;
        }

        Require(stream.NextOffset >= _decidedEnd, $"epoch {stream.Epoch} begins at {stream.NextOffset}, and {_decidedEnd} was acknowledged or seen");
        Require(stream.StartOffset <= _trimmedTo, $"it starts at {stream.StartOffset}, and was trimmed to {_trimmedTo} at most");
        if (stream.Checkpoint is { } checkpoint)
        {
            Require(
                BinaryPrimitives.ReadInt64LittleEndian(checkpoint.State.Span) == checkpoint.Offset,
                $"the checkpoint at {checkpoint.Offset} is of another place");
        }

        (_newestEpoch, _openedAt) = (stream.Epoch, stream.NextOffset);
    }

    /// <summary>An owner is about to trim.</summary>
    public void Trimmed(long offset) => _trimmedTo = Math.Max(_trimmedTo, offset);

    /// <summary>A reader was given a record, which is therefore durable.</summary>
    public void Read(StreamRecord record)
    {
        Require(record.Payload.Length >= sizeof(int), $"a record without a number");
        var number = BinaryPrimitives.ReadInt32LittleEndian(record.Payload.Span);
        Require(number >= 0 && number < _attempts.Count, $"record {number} was never appended");
        Require(
            _attempts[number] == (record.Epoch, record.BaseOffset, record.Count),
            $"record {number} was appended as {_attempts[number]}, and is read as {record}");
        Require(!record.Payload.Span[sizeof(int)..].ContainsAnyExcept(Filling(number)), $"the bytes of record {number} have changed");
        Decide(number);
    }

    private void Decide(int number)
    {
        var (_, baseOffset, count) = _attempts[number];
        if (_decided.TryGetValue(baseOffset, out var other))
        {
            Require(other == number, $"offset {baseOffset} is record {number} for one, and {other} for another");
            return;
        }

        _decided.Add(baseOffset, number);
        _decidedEnd = Math.Max(_decidedEnd, baseOffset + count);
    }

    private void Fill(int number, Span<byte> payload)
    {
        payload.Fill(Filling(number));
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
    }

    private byte Filling(int number) => (byte)(number * 31 + id.Value);

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ViolationText otherwise)
    {
        if (!holds)
        {
            throw new ViolationException($"Stream {id}: {otherwise.ToStringAndClear()}");
        }
    }
}
