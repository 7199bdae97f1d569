using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>
/// Runs one shard at one leader epoch: one operation at a time, in the order they came. Whatever waits when the shard gets
/// to run is applied together and appended as one batch; batches follow each other into the log without waiting. An answer is
/// delivered when every batch appended before it was given is durable. A failed append throws the shard away, fails everything it still
/// owes and loads it anew once no append is under way.
/// </summary>
/// <remarks>
/// Threading: <see cref="SubmitAsync"/>, <see cref="Resign"/> and <see cref="Count"/> from any thread. All else runs in turns: an
/// event queue that is worked off by one task at a time on the node's scheduler, and by none while it is empty.
/// </remarks>
internal sealed partial class CoordinatorPartition<TShard, TRecord>
    where TShard : class, ICoordinatorShard<TRecord>
{
    // A batch goes when nothing more waits. Under a load that never lets the queue run empty, it goes after so many operations.
    private const int OperationsPerBatch = 256;
    // A timer takes some weeks at most; one that is early finds nothing due and is set again.
    private const double LongestAlarm = 3_600_000;
    private readonly NodeRuntime _runtime;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly Func<ShardContext<TRecord>, TShard> _create;
    private readonly ICoordinatorRecordCodec<TRecord> _codec;
    private readonly IPartitionWriter _writer;
    private readonly IPartitionLoader _loader;
    private WarmShard<TShard, TRecord>? _warm;
    private readonly CancellationTokenSource _gone;
    private readonly CancellationToken _goneToken;

    private readonly Lock _gate = new();
    private readonly Queue<Action> _events = [];
    private int _reserved;
    private bool _isTurning;

    // Below: touched by the turn alone.
    private readonly RecordBuffer<TRecord> _batch;
    private List<Reply> _answers = [];
    private readonly LinkedList<Reply> _owed = [];
    private readonly Queue<AppendUnderWay> _underWay = [];
    private AppendUnderWay? _newest;
    private readonly ITimer _alarm;
    private TimeSpan? _alarmDue;
    private TimerQueue<TRecord>? _timers;
    private TShard? _shard;
    private ShardPhase _phase = ShardPhase.Loading;
    private bool _isReading;
    private int _turnsSinceFlush;
    private int _faultsInARow;
    private volatile int _count;

    /// <param name="runtime">Time, randomness and the scheduler of turns.</param>
    /// <param name="name">Names the partition in logs.</param>
    /// <param name="create">Makes an empty shard.</param>
    /// <param name="codec">The form of its records.</param>
    /// <param name="writer">Its log, to append to.</param>
    /// <param name="loader">Its log, to read from.</param>
    /// <param name="spareRecords">How many records the log may hold beside the live ones before it is written anew; or half as many as those, if more.</param>
    /// <param name="warm">What was read of it before this node led it, if anything was.</param>
    public CoordinatorPartition(
        NodeRuntime runtime, string name, Func<ShardContext<TRecord>, TShard> create, ICoordinatorRecordCodec<TRecord> codec,
        IPartitionWriter writer, IPartitionLoader loader, int spareRecords, WarmShard<TShard, TRecord>? warm = null)
    {
        _runtime = runtime;
        _logger = runtime.Loggers.CreateLogger("Millrace.Coordination");
        _name = name;
        _create = create;
        _codec = codec;
        _writer = writer;
        _loader = loader;
        _warm = warm;
        _length = new LogLength(spareRecords);
        _batch = new RecordBuffer<TRecord>(codec);
        _gone = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
        _goneToken = _gone.Token;
        if (warm is not null)
        {
            // Gone before it was taken, it would be read for ever.
            _goneToken.UnsafeRegister(_ => warm.Stop(), null);
        }

        _alarm = runtime.Time.CreateTimer(_ => Post(OnAlarm), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Post(Read);
    }

    /// <summary>What the shard keeps, as of its last turn; 0 while there is none.</summary>
    public int Count => _count;

    /// <summary>Runs an operation, which answers the reply now or leaves it with the shard for a later one to answer.</summary>
    /// <exception cref="CoordinatorException">By the task.</exception>
    public async Task<TResponse> SubmitAsync<TResponse>(Func<TShard, Reply<TResponse>, CoordinatorResult<TRecord>> operation)
    {
        var reply = new Reply<TResponse>();
        Post(() => Run(operation, reply));

        // Awaited here, on the caller's scheduler: a combinator (WhenAll, say) over the reply's own task, which completes
        // asynchronously, would go on in the thread pool whatever the scheduler.
        return await reply.Delivered;
    }

    /// <summary>The leader epoch is over: what is owed fails with NotHere.</summary>
    public void Resign() => Post(() => Discard(CoordinatorError.NotHere));

    /// <summary>Takes a place in the queue for an event to come, which then cannot fail to be posted.</summary>
    private void Reserve()
    {
        lock (_gate)
        {
            _events.EnsureCapacity(_events.Count + _reserved + 1);
            _reserved++;
        }
    }

    private void Post(Action turn, bool isReserved = false)
    {
        lock (_gate)
        {
            if (isReserved)
            {
                _reserved--;
            }
            else
            {
                _events.EnsureCapacity(_events.Count + _reserved + 1);
            }

            _events.Enqueue(turn);
            if (_isTurning)
            {
                return;
            }

            _isTurning = true;
        }

        try
        {
            _ = Task.Factory.StartNew(RunEvents, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _runtime.Scheduler);
        }
        catch (Exception failure)
        {
            // Everybody takes it for begun: no turn would ever run, and whoever waits for one would wait for ever.
            _runtime.Fail(failure);
        }
    }

    private void RunEvents()
    {
        try
        {
            while (TryTakeEvent(out var next))
            {
                next();
                _count = _shard?.Count ?? 0;
            }
        }
        catch (Exception failure)
        {
            // Operations' own failures are met where they run; what arrives here contradicts this class's bookkeeping.
            _runtime.Fail(failure);
        }
    }

    private bool TryTakeEvent(out Action next)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_turnsSinceFlush < OperationsPerBatch && _events.TryDequeue(out next!))
                {
                    _turnsSinceFlush++;
                    return true;
                }

                if (_events.Count == 0 && _batch.Count == 0 && _answers.Count == 0 && !NeedsAlarm())
                {
                    _turnsSinceFlush = 0;
                    _isTurning = false;
                    next = null!;
                    return false;
                }
            }

            // Outside the lock: more may come meanwhile.
            _turnsSinceFlush = 0;
            Flush();
            RewriteIfTooLong();
            SetAlarm();
        }
    }

    private void Run<TResponse>(Func<TShard, Reply<TResponse>, CoordinatorResult<TRecord>> operation, Reply<TResponse> reply)
    {
        switch (_phase)
        {
            case ShardPhase.Loading:
                reply.Fail(CoordinatorError.Loading);
                break;
            case ShardPhase.Gone:
                reply.Fail(CoordinatorError.NotHere);
                break;
            case ShardPhase.Active:
                reply.Owed = _owed.AddLast(reply);
                Apply(shard => operation(shard, reply), reply);
                break;
        }
    }

    /// <summary>Runs an operation of the shard and gathers what it says.</summary>
    /// <param name="operation">Of the active shard.</param>
    /// <param name="culprit">Who asked for it, if anybody did.</param>
    private void Apply(Func<TShard, CoordinatorResult<TRecord>> operation, Reply? culprit)
    {
        try
        {
            Gather(operation(_shard!));
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            // The operation may have changed half of what it meant to; only the log knows a state that is whole.
            CoordinationMessages.OperationFailed(_logger, _name, failure);
            _faultsInARow++;
            if (culprit is not null)
            {
                Settle(culprit);
                culprit.Fail(CoordinatorError.Failed);
            }

            Discard(CoordinatorError.Loading);
        }
    }

    private bool NeedsAlarm() =>
        _timers?.UntilNext() is { } wait && (_alarmDue is not { } due || _timers.Now + wait < due);

    private void SetAlarm()
    {
        if (NeedsAlarm())
        {
            var wait = _timers!.UntilNext()!.Value;
            _alarmDue = _timers.Now + wait;
            // Rounded up, since a timer that is early finds nothing due.
            _alarm.Change(TimeSpan.FromMilliseconds(Math.Min(LongestAlarm, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnAlarm()
    {
        _alarmDue = null;
        while (_timers?.TakeDue() is { } timer)
        {
            Apply(
                _ =>
                {
                    // What a timer appends is many small removals, or one record.
                    var result = new CoordinatorResult<TRecord> { MaySplit = true };
                    timer.Fire(result);
                    return result;
                },
                null);
        }
    }
}
