using Millrace.Broker.Errors;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>How this node stops leading a partition: it closes it, or hands it over, or takes it back where that takes too long.</summary>
internal sealed partial class Partition
{
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    // Then it is over a minute.
    private const int MostDoublings = 4;

    // Of who waits, longer than the hand-over is tried: those go on who wait for one that is taken back.
    private static readonly TimeSpan ParkAfterPatience = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Whoever waits for a partition that closes, or is handed over, need not wait any more, and goes on if it was taken back. Replaced under the append lock.
    private TaskCompletionSource<PartitionError> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile CancellationTokenSource _closing = new();

    // The partition goes for good, should it be handed over as yet: whatever waits has been sent away.
    private bool _closesInsteadOfComingBack;

    // For how long the hand-over under way is tried; guarded by the append lock.
    private TimeSpan _parkPatience;
    private volatile int _timesTakenBack;

    /// <summary>
    /// Cancelled when the partition begins to close or to be handed over, before anybody else may lead it. One that is taken back has another from then on;
    /// a coordinator's, whose groups are bound to it, is not taken back.
    /// </summary>
    public CancellationToken Ending => _closing.Token;

    /// <summary>It was handed over last to lie in another WAL of this node. For what people are told.</summary>
    public bool ChangedWal { get; private set; }

    /// <summary>How long it asks to be tried before it is taken back: twice as long each time, up to 80 s, so that a slow store has it in the end.</summary>
    public TimeSpan HandOverPatience => FirstPatience * (1 << Math.Min(_timesTakenBack, MostDoublings));

    /// <summary>Takes no appends from now on, and opens no more.</summary>
    /// <param name="token">Ends the wait for an opening that is under way, and may not hear that it is to end.</param>
    /// <returns>The stream that is left to be closed, if there is one.</returns>
    public async Task<IStream?> BeginClosingAsync(CancellationToken token)
    {
        lock (_append)
        {
            if (_phase is PartitionPhase.Closed or PartitionPhase.HandingOver)
            {
                return null;
            }

            _phase = PartitionPhase.Closing;
        }

        _closing.Cancel();
        await _opening.OrCancelled(token);
        return _stream ?? _unready;
    }

    /// <summary>
    /// Takes no appends from now on, and answers nothing from what is known here once its stream may have moved: <see cref="HandOverAsync"/> follows. Whoever
    /// does with the partition what does not come by its requests has heard of it (<see cref="Ending"/>) when this returns.
    /// </summary>
    /// <param name="patience">For how long it is tried; infinite for one that is not taken back.</param>
    /// <param name="changesWal">It comes back to this node, in another of its WALs.</param>
    /// <returns>The stream to hand over; null if the partition is not open, and so has nothing to hand over, or is closed by somebody else.</returns>
    public IStream? BeginHandingOver(TimeSpan patience, bool changesWal = false)
    {
        lock (_append)
        {
            if (_phase != PartitionPhase.Open)
            {
                return null;
            }

            _parkPatience = patience == Timeout.InfiniteTimeSpan ? FirstPatience : patience;
            _phase = PartitionPhase.HandingOver;
            ChangedWal = changesWal;
        }

        _closing.Cancel();
        return _stream;
    }

    /// <summary>
    /// Hands the stream over, unless the store has done so since <see cref="BeginHandingOver"/>: appends under way are finished, the tail is uploaded, and in
    /// one step the stream is closed and has its next leader. When this completes, the node's image names that one;
    /// or the stream was lost, which is logged.
    /// </summary>
    /// <param name="stream">What <see cref="BeginHandingOver"/> has returned.</param>
    /// <param name="patience">Where this ends before another can lead it, the partition is taken back.</param>
    /// <param name="token">Ends the wait, and the partition with it.</param>
    /// <returns>False if it was taken back: it is open, and what has waited goes on.</returns>
    public async Task<bool> HandOverAsync(IStream stream, CancellationToken patience, CancellationToken token)
    {
        try
        {
            await stream.HandOverAsync(patience);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            if (TryTakeBack(stream))
            {
                return false;
            }
        }
        catch (Exception failure) when (failure is StreamException or OperationCanceledException)
        {
            // Met again below.
        }

        await EndAsync(() => stream.HandOverAsync(token));
        return true;
    }

    /// <summary>
    /// Ends this node's leadership at this epoch: appends under way are finished, the tail is uploaded and the stream closed, unless the store
    /// has closed it since <see cref="BeginClosingAsync"/>. Completes when that is done, or cannot be, whoever does it.
    /// </summary>
    public async Task CloseAsync(CancellationToken token)
    {
        bool isGoing;
        lock (_append)
        {
            if (_phase == PartitionPhase.Closed)
            {
                return;
            }

            // From here on nobody begins to hand it over.
            isGoing = _phase == PartitionPhase.HandingOver;
            _closesInsteadOfComingBack = isGoing;
            _phase = isGoing ? _phase : PartitionPhase.Closing;
        }

        if (isGoing)
        {
            // Another leads it, or this node stops: whoever waits is sent there, though what hands it over has not heard yet that it is done.
            _over.TrySetResult(PartitionError.NotLeader);
            await _closed.Task.OrCancelled(token);
            return;
        }

        await EndAsync(async () =>
        {
            if (await BeginClosingAsync(token) is { } stream)
            {
                await stream.CloseAsync(token);
            }
        });
    }

    /// <summary>
    /// Waits until the partition is taken back, or another leads it, for a while: whoever has no offset yet may be refused at any time, and asks anew who
    /// leads it.
    /// </summary>
    /// <remarks>
    /// What is refused of a producer is a suffix, never a gap: the produces of a connection begin one after another, each when the one before has its offsets
    /// or was refused, so that none overtakes another in here; and what it has sent behind a refused batch is refused with it (RefusedBatches).
    /// </remarks>
    private async Task<PartitionError> WhenTakenBackOrMovedAsync(Task<PartitionError> over, TimeSpan tried, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(tried + ParkAfterPatience, _runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, patience.Token);
        try
        {
            return await over.OrCancelled(either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return PartitionError.NotLeader;
        }
    }

    private bool TryTakeBack(IStream stream)
    {
        TaskCompletionSource<PartitionError> over;
        lock (_append)
        {
            Invariant.Check(_phase == PartitionPhase.HandingOver);
            if (_closesInsteadOfComingBack || !stream.TryTakeBack())
            {
                return false;
            }

            (over, _over) = (_over, new(TaskCreationOptions.RunContinuationsAsynchronously));
            _closing = new CancellationTokenSource();
            _timesTakenBack++;
            _phase = PartitionPhase.Open;
        }

        over.TrySetResult(PartitionError.None);
        return true;
    }

    private async Task EndAsync(Func<ValueTask> close)
    {
        try
        {
            await close();

            // Not where the closing is given up: a stream that goes on may yet ask for a checkpoint.
            ForgetProducers();
        }
        catch (StreamException failure)
        {
            // Whoever opens the stream next recovers what was not uploaded: it is in the WAL.
            PartitionMessages.NotClosedCleanly(_logger, Id, LeaderEpoch, failure.Error, failure.Message);
        }
        finally
        {
            lock (_append)
            {
                _phase = PartitionPhase.Closed;
            }

            _opened.TrySetResult(PartitionError.NotLeader);
            _over.TrySetResult(PartitionError.NotLeader);
            _closed.TrySetResult();
            Progress.EndWaits();
        }
    }
}
