using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Millrace.Simulation.Kernel;

namespace Millrace.Tests.Coordination.Groups;

/// <summary>
/// A shard without threads: requests go in, what it appends goes through the codec into a list and back, time moves by hand.
/// Answers are noted with the client's name in a transcript.
/// </summary>
internal sealed class GroupShardDriver
{
    private readonly GroupRecordCodec _codec = new();
    private readonly List<string> _transcript = [];
    private readonly GroupOptions _options;
    private readonly SeededRandom _random = new(7);
    private TimerQueue<GroupRecord> _timers = null!;
    private IEnumerator<GroupRecord>? _rewriting;
    private int _rewrittenFrom;

    public GroupShardDriver(GroupOptions? options = null)
    {
        _options = options ?? new GroupOptions();
        Load();
    }

    public ManualTime Time { get; } = new();

    public GroupShard Shard { get; private set; } = null!;

    public int MaxBatchBytes { get; init; } = 1_048_588;

    /// <summary>The log, as written.</summary>
    public List<(byte[] Key, byte[]? Value)> Records { get; } = [];

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A shard loaded from the log takes this one's place, as after a failover.</summary>
    public void Load()
    {
        _timers = new TimerQueue<GroupRecord>(Time);
        _rewriting = null;
        Shard = NewShard(_timers);
        Apply(Shard.OnLoaded());
    }

    /// <summary>What a shard holds that has just replayed the log.</summary>
    public string ReplayedState() => StateOf(NewShard(new TimerQueue<GroupRecord>(Time)));

    /// <summary>What this shard holds of what the log is to keep.</summary>
    public string State() => StateOf(Shard);

    public Client Client(string name) => new(this, name);

    public Reply<TAnswer> Ask<TAnswer>(Func<GroupShard, Reply<TAnswer>, CoordinatorResult<GroupRecord>> operation)
    {
        var reply = new Reply<TAnswer>();
        Apply(operation(Shard, reply));
        return reply;
    }

    /// <summary>The answer to a request that is answered at once.</summary>
    public TAnswer Get<TAnswer>(Func<GroupShard, Reply<TAnswer>, CoordinatorResult<GroupRecord>> operation) => Ask(operation).Given;

    /// <summary>Lets time pass; timers fire on the way, each at its time.</summary>
    public void Advance(TimeSpan time)
    {
        while (_timers.UntilNext() is { } next && next <= time)
        {
            Time.Advance(next);
            time -= next;
            while (_timers.TakeDue() is { } timer)
            {
                var result = new CoordinatorResult<GroupRecord> { MaySplit = true };
                timer.Fire(result);
                Apply(result);
            }
        }

        Time.Advance(time);
    }

    /// <summary>Writes so many of the live records once more, and when all have been since it began, leaves out of the log what was before.</summary>
    public void Rewrite(int count)
    {
        if (_rewriting is null)
        {
            _rewriting = Shard.LiveRecords().GetEnumerator();
            _rewrittenFrom = Records.Count;
        }

        for (var i = 0; i < count; i++)
        {
            if (!_rewriting.MoveNext())
            {
                _rewriting.Dispose();
                _rewriting = null;
                Records.RemoveRange(0, _rewrittenFrom);
                return;
            }

            Records.Add(Encode(_rewriting.Current));
        }
    }

    public void AdvanceSeconds(double seconds) => Advance(TimeSpan.FromSeconds(seconds));

    public void Note(string line) => _transcript.Add(line);

    /// <summary>What happened since the last call.</summary>
    public string Transcript()
    {
        var transcript = string.Join('\n', _transcript);
        _transcript.Clear();
        return transcript;
    }

    private void Apply(CoordinatorResult<GroupRecord> result)
    {
        foreach (var record in result.Records)
        {
            Records.Add(Encode(record));
            Shard.Replay(record);
            Note($"log: {Describe(record)}");
        }

        foreach (var answer in result.Answers)
        {
            answer.Deliver();
        }
    }

    private GroupShard NewShard(TimerQueue<GroupRecord> timers)
    {
        var shard = new GroupShard(
            _options, new ShardContext<GroupRecord>(Time, _random, timers, NullLogger.Instance, MaxBatchBytes));
        var reader = _codec.NewReader();
        foreach (var (key, value) in Records)
        {
            if (!reader.TryRead(key, value is null ? (ReadOnlyMemory<byte>?)null : value, out var record))
            {
                throw new InvalidOperationException("The log holds an unknown record");
            }

            shard.Replay(record);
        }

        return shard;
    }

    private (byte[] Key, byte[]? Value) Encode(GroupRecord record)
    {
        var key = new ArrayBufferWriter<byte>();
        var value = new ArrayBufferWriter<byte>();
        _codec.WriteKey(record, key);
        return (key.WrittenSpan.ToArray(), _codec.WriteValue(record, value) ? value.WrittenSpan.ToArray() : null);
    }

    private string StateOf(GroupShard shard)
    {
        var records = shard.Images.Select(image => (GroupRecord)new GroupMetadataRecord(image.Key, image.Value)).Concat(
            from offsets in shard.Offsets.Groups
            from topic in offsets.Value.Topics
            from offset in offsets.Value.Of(topic)
            select new OffsetRecord(offsets.Key, topic, offset.Key, offset.Value));
        var state = new StringBuilder();
        foreach (var (key, value) in records.Select(Encode))
        {
            state.Append(Convert.ToHexString(key)).Append(" = ").AppendLine(Convert.ToHexString(value!));
        }

        return state.ToString();
    }

    private static string Describe(GroupRecord record) => record switch
    {
        GroupMetadataRecord { Value: { } image } =>
            $"group {record.GroupId} generation {image.Generation} ["
            + string.Join(' ', image.Members.Select(member => $"{member.ClientId}:{Encoding.UTF8.GetString(member.Assignment.Span)}")) + "]",
        GroupMetadataRecord => $"group {record.GroupId} removed",
        OffsetRecord { Value: { } offset } committed => $"offset {record.GroupId} {committed.Topic}-{committed.Partition} = {offset.Offset}",
        OffsetRecord removed => $"offset {record.GroupId} {removed.Topic}-{removed.Partition} removed",
        _ => throw new InvalidOperationException("No such record"),
    };
}
