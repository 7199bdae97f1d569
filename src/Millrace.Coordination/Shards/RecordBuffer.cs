using System.Buffers;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>The records of the batch that is being gathered, encoded one behind the other.</summary>
internal sealed class RecordBuffer<TRecord>(ICoordinatorRecordCodec<TRecord> codec)
{
    // What a batch's header takes, and at most a record's lengths, deltas and attributes: 5 + 1 + 10 + 5 + 5 + 5 + 1.
    private const int BatchOverhead = 61;
    private const int RecordOverhead = 32;

    /// <summary>What one record takes besides its key and value, if it is alone in its batch.</summary>
    public const int Overhead = BatchOverhead + RecordOverhead;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<Place> _places = [];

    public int Count => _places.Count;

    /// <summary>At least what the batch will take in the log.</summary>
    public int Size => BatchOverhead + _bytes.WrittenCount + RecordOverhead * _places.Count;

    public void Add(TRecord record)
    {
        var start = _bytes.WrittenCount;
        codec.WriteKey(record, _bytes);
        var valueStart = _bytes.WrittenCount;
        var hasValue = codec.WriteValue(record, _bytes);
        Invariant.Check(hasValue || _bytes.WrittenCount == valueStart);
        _places.Add(new Place(start, valueStart, hasValue, _bytes.WrittenCount));
    }

    /// <summary>The first records; valid until the buffer changes.</summary>
    public EncodedRecord[] Take(int count)
    {
        var records = new EncodedRecord[count];
        for (var index = 0; index < count; index++)
        {
            var place = _places[index];
            records[index] = new EncodedRecord(_bytes.WrittenMemory[place.Start..place.ValueStart], ValueAt(place));
        }

        return records;
    }

    /// <summary>Forgets the first records.</summary>
    public void Drop(int count)
    {
        if (count == Count)
        {
            Clear();
            return;
        }

        var shift = _places[count].Start;
        var rest = _bytes.WrittenSpan[shift..].ToArray();
        var places = _places[count..];
        Clear();
        _bytes.Write(rest);
        _places.AddRange(places.Select(place => place.Back(shift)));
    }

    public void Clear()
    {
        _bytes.ResetWrittenCount();
        _places.Clear();
    }

    private ReadOnlyMemory<byte>? ValueAt(Place place)
    {
        if (!place.HasValue)
        {
            // Not in one expression with the other: there null would turn into empty memory, and a tombstone into a value.
            return null;
        }

        return _bytes.WrittenMemory[place.ValueStart..place.End];
    }

    private readonly record struct Place(int Start, int ValueStart, bool HasValue, int End)
    {
        public Place Back(int shift) => new(Start - shift, ValueStart - shift, HasValue, End - shift);
    }
}
