using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Partitions.Producers;
using Millrace.Broker.Purgatory;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>
/// A partition that this node leads at one leader epoch: one stream, and what is known of the producers that write to it.
/// A new epoch is a new instance.
/// </summary>
/// <remarks>
/// Threading: all members may be called from any thread. The append lock orders appends and guards the phase and the producers;
/// reads take no lock. Nothing that is not durable is shown: the end of the log that anyone sees is the confirm offset.
/// Lifecycle: <see cref="PartitionPhase"/>. Opening begins with the first request or by <see cref="WhenOpenAsync"/>, and goes on
/// in the background for as long as the store does not answer.
/// </remarks>
internal sealed partial class Partition : IStreamOwner, IReadablePartition
{
    private readonly NodeRuntime _runtime;
    private readonly IStreamStore _store;
    private readonly ILogger _logger;
    private readonly PartitionImage _image;
    private readonly Lock _append = new();
    private readonly AppendsInFlight _inFlight;
    private readonly TaskCompletionSource<PartitionError> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Partition? _former;
    private Task _opening = Task.CompletedTask;
    private readonly ProducerCensus _census;
    private ProducerState _producers = new();
    private int _countedProducers;
    private IStream? _stream;

    // Open in the store, and never served from here, since its producers were not read: it is only closed.
    private IStream? _unready;
    private StreamError _lostTo;
    private bool _appending;
    private volatile PartitionPhase _phase = PartitionPhase.Waiting;
    private volatile TopicSettings _settings;

    /// <param name="runtime">The node's.</param>
    /// <param name="store">Where the stream is.</param>
    /// <param name="id">The partition's name.</param>
    /// <param name="image">Its stream, and the epoch this node leads it at.</param>
    /// <param name="settings">The topic's.</param>
    /// <param name="census">Counts its producers among the node's.</param>
    /// <param name="former">The same partition at a former epoch of this node: its stream is closed before it is opened again.</param>
    public Partition(
        NodeRuntime runtime, IStreamStore store, TopicIdPartition id, PartitionImage image, TopicSettings settings, ProducerCensus census,
        Partition? former = null)
    {
        _former = former;
        _census = census;
        _runtime = runtime;
        _store = store;
        _logger = runtime.Loggers.CreateLogger<Partition>();
        _image = image;
        _settings = settings;
        _inFlight = new AppendsInFlight(Progress);
        Id = id;
    }

    public TopicIdPartition Id { get; }

    public int LeaderEpoch => _image.LeaderEpoch;

    public PartitionPhase Phase => _phase;

    /// <summary>As in effect now; a change counts from the next request on.</summary>
    public TopicSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    /// <summary>What has become readable, and who waits for it.</summary>
    public PartitionProgress Progress { get; } = new();

    /// <summary>The bytes that pass, for whoever measures this node's load.</summary>
    public PartitionTraffic Traffic { get; } = new();

    /// <summary>Reads are not answered from what is known here, though they may be later, here or elsewhere.</summary>
    public bool ParksReads =>
        _phase is PartitionPhase.Waiting or PartitionPhase.Opening || (_phase == PartitionPhase.HandingOver && _stream is { MayHaveMoved: true });

    /// <summary>What is appended by now, to be uploaded while the partition goes on; null while it is not open.</summary>
    public UploadGoal? Appended => _phase == PartitionPhase.Open && _stream is { } stream ? new UploadGoal(stream, stream.NextOffset) : null;

    /// <summary>Whether it is open, and lies in another of the node's WALs than a given one: see <see cref="IStream.Wal"/>.</summary>
    public bool LiesElsewhereThan(WalKind? wal) => _phase == PartitionPhase.Open && _stream is { } stream && stream.Wal != wal;

    /// <summary>The payload that no object holds yet, in bytes; 0 while the partition is not open.</summary>
    public long UncommittedBytes => _phase == PartitionPhase.Open && _stream is { } stream ? stream.UncommittedBytes : 0;

    /// <summary>The largest batch that the store takes, in bytes.</summary>
    public int MaxAppendBytes => _store.MaxAppendBytes;

    /// <inheritdoc cref="IStreamStore.IsBusy"/>
    public bool IsStoreBusy => _store.IsBusy;

    /// <summary>Everything below is durable. -1 while the partition is not open.</summary>
    public long HighWatermark => _stream?.ConfirmOffset ?? -1;

    /// <summary>Everything below lies in objects. -1 while the partition is not open.</summary>
    public long CommittedOffset => _stream?.CommittedOffset ?? -1;

    /// <summary>-1 while the partition is not open.</summary>
    public long LogStartOffset => _stream?.StartOffset ?? -1;

    /// <summary>The payload that can be read, in the pieces that the store can trim at; 0 until the partition is open.</summary>
    public long SizeInBytes => _stream?.Extents.Sum(extent => extent.Bytes) ?? 0;

    /// <summary>Opens the partition if nobody has yet, and waits until it is open or will never be.</summary>
    /// <param name="token">Ends the wait, not the opening.</param>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> was cancelled.</exception>
    public ValueTask<PartitionError> WhenOpenAsync(CancellationToken token) =>
        _phase == PartitionPhase.Open ? new ValueTask<PartitionError>(PartitionError.None) : ParkAsync(token);

    public OwnerState Capture(long since, bool withCheckpoint)
    {
        lock (_append)
        {
            Invariant.Check(!_appending);

            // Before the stream is ready here, nothing has been appended under this epoch: there is nothing to tell.
            return _stream is { } stream
                ? new OwnerState(stream.NextOffset, withCheckpoint ? PartitionCheckpoint.Write(_producers) : default, default)
                : new OwnerState(since, default, default);
        }
    }

    public void OnConfirmed(long confirmOffset) => _inFlight.OnConfirmed(confirmOffset);

    public void OnLost(StreamError error)
    {
        lock (_append)
        {
            _lostTo = error;
            if (_phase is PartitionPhase.Waiting or PartitionPhase.Opening or PartitionPhase.Open)
            {
                _phase = PartitionPhase.Lost;
            }
        }

        ForgetProducers();

        PartitionMessages.Lost(_logger, Id, LeaderEpoch, error);
        _opened.TrySetResult(PartitionErrors.Of(error));
        _inFlight.OnLost(error);
        Progress.EndWaits();
    }

    /// <summary>Tells the census how many there are, after what may have changed that. Fails, if at all, before an append.</summary>
    private void CountProducers_NeedsLock()
    {
        var change = _producers.Count - _countedProducers;
        if (change != 0)
        {
            _countedProducers += change;
            _census.Change(change);
        }
    }

    /// <summary>The stream has ended: no batch is checked any more, and no checkpoint written.</summary>
    private void ForgetProducers()
    {
        lock (_append)
        {
            _producers = new ProducerState();
            CountProducers_NeedsLock();
        }
    }

    private long Now() => _runtime.Time.GetUtcNow().ToUnixTimeMilliseconds();
}
