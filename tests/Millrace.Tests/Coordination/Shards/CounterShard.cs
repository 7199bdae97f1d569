using System.Buffers;
using System.Text;
using Millrace.Coordination.Shards;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>The smallest shard: numbers are added to a sum, and somebody may wait for the sum to reach a bound.</summary>
internal sealed class CounterShard(ShardContext<long> context) : ICoordinatorShard<long>, ICoordinatorRecordCodec<long>, ICoordinatorRecordReader<long>
{
    /// <summary>What a record has more than the sum that it is, if it is no addend.</summary>
    public const long Whole = 1L << 40;

    private readonly List<(long Bound, Reply<long> Reply)> _waiting = [];
    private bool _isCleared;

    public long Sum { get; private set; }

    public int Count => 1;

    /// <summary>Its state is its own codec's: for tests that need one instance of each.</summary>
    public static ICoordinatorRecordCodec<long> Codec { get; } = new CounterShard(null!);

    public int LiveRecordCount => _isCleared ? 0 : 1;

    public IEnumerable<long> LiveRecords()
    {
        if (!_isCleared)
        {
            yield return Whole + Sum;
        }
    }

    // A record adds to the sum, or is all of it.
    public void Replay(long record)
    {
        Sum = record >= Whole / 2 ? record - Whole : Sum + record;
        _isCleared = record == Whole;
    }

    public CoordinatorResult<long> OnLoaded() => new();

    public CoordinatorResult<long> Add(long number, Reply<long> reply)
    {
        var result = new CoordinatorResult<long>();
        result.Append(number);
        result.Answer(reply, Sum + number);
        foreach (var (bound, waiting) in _waiting.Where(waiting => waiting.Bound <= Sum + number).ToList())
        {
            _waiting.Remove((bound, waiting));
            result.Answer(waiting, Sum + number);
        }

        return result;
    }

    /// <summary>Appends more than one batch may hold.</summary>
    public CoordinatorResult<long> AddMany(int count, bool maySplit, Reply<long> reply)
    {
        var result = new CoordinatorResult<long> { MaySplit = maySplit };
        for (var i = 0; i < count; i++)
        {
            result.Append(1);
        }

        result.Answer(reply, Sum + count);
        return result;
    }

    /// <summary>Nothing is live after it, not even its own record.</summary>
    public CoordinatorResult<long> Clear(Reply<long> reply)
    {
        var result = new CoordinatorResult<long>();
        result.Append(Whole);
        result.Answer(reply, 0);
        return result;
    }

    public CoordinatorResult<long> Read(Reply<long> reply)
    {
        var result = new CoordinatorResult<long>();
        result.Answer(reply, Sum);
        return result;
    }

    public CoordinatorResult<long> WaitFor(long bound, Reply<long> reply)
    {
        _waiting.Add((bound, reply));
        return new CoordinatorResult<long>();
    }

    /// <summary>Adds a number after a while.</summary>
    public CoordinatorResult<long> AddLater(long number, TimeSpan delay, Reply<long> reply)
    {
        context.Timers.Create(due => due.Append(number)).Start(delay);
        return Read(reply);
    }

    public CoordinatorResult<long> Break() => throw new FormatException("a fault");

    public void WriteKey(long record, IBufferWriter<byte> key) => key.Write("sum"u8);

    public bool WriteValue(long record, IBufferWriter<byte> value)
    {
        value.Write(Encoding.UTF8.GetBytes(record.ToString()));
        return true;
    }

    public ICoordinatorRecordReader<long> NewReader() => this;

    public bool TryRead(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value, out long record)
    {
        record = 0;
        return key.Span.SequenceEqual("sum"u8)
            && (long.TryParse(Encoding.UTF8.GetString(value!.Value.Span), out record) ? true : throw new ProtocolException("no number"));
    }
}
