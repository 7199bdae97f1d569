using System.Buffers;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Apis.Data;

/// <summary>Appends the batches of a produce request in the order of the request, and waits until each is durable.</summary>
/// <remarks>
/// What fails unexpectedly is one partition's failure, and is answered as such; whatever was begun is waited for before anything leaves.
/// Disposed when the answer is made, also while the settling goes on: so it keeps nothing of the request, whose memory is bounded only while it is
/// under way. Threading: one caller.
/// </remarks>
internal sealed class ProducePass : IDisposable
{
    private const short FirstWithZstd = 7;

    private readonly NodeRuntime _runtime;
    private readonly ILogger _logger;
    private readonly PartitionTable _partitions;
    private readonly BatchIntake _intake;
    private readonly DataMetrics _metrics;
    private readonly ProducedPartition[] _appends;
    private readonly int _count;
    private bool _hasRefused;
    private Task _settling = Task.CompletedTask;

    /// <param name="runtime">The clock, and what stops the node.</param>
    /// <param name="logger">Hears of what fails unexpectedly.</param>
    /// <param name="partitions">Where the batches go.</param>
    /// <param name="intake">Judges them.</param>
    /// <param name="metrics">Counts what is appended.</param>
    /// <param name="request">Tells how many there are.</param>
    public ProducePass(
        NodeRuntime runtime, ILogger logger, PartitionTable partitions, BatchIntake intake, DataMetrics metrics, ProduceRequest request)
    {
        (_runtime, _logger, _partitions, _intake, _metrics) = (runtime, logger, partitions, intake, metrics);
        foreach (var topic in request.TopicData)
        {
            _count += topic.PartitionData.Count;
        }

        _appends = ArrayPool<ProducedPartition>.Shared.Rent(_count);
    }

    /// <summary>Of the batches that have their offsets.</summary>
    public long AppendedBytes { get; private set; }

    /// <summary>Whether there is a partition whose batch is not known to be durable.</summary>
    public bool HasFailed
    {
        get
        {
            var failed = false;
            foreach (ref readonly var append in _appends.AsSpan(0, _count))
            {
                failed |= append.Outcome != PartitionError.None;
            }

            return failed;
        }
    }

    /// <summary>The partitions, in the order of the request.</summary>
    public ref readonly ProducedPartition this[int index] => ref _appends.AsSpan(0, _count)[index];

    /// <summary>Begins every append in the order of the request, then waits until each has its offsets or was refused.</summary>
    public async ValueTask AppendAsync(RequestContext context, ProduceRequest request, RequestDeadline deadline)
    {
        var refused = RefusedBatches.Of(context.Connection);
        var now = _runtime.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var begun = 0;
        try
        {
            foreach (var topic in request.TopicData)
            {
                var reference = ProduceHandler.TopicOf(context, topic);
                var image = reference.FindIn(_partitions.Image);
                foreach (var partition in topic.PartitionData)
                {
                    ref var append = ref _appends[begun];
                    append.Lookup = image is null
                        ? new PartitionLookup(reference.Absence, null, null)
                        : _partitions.Find(image, partition.Index);
                    append.Error = image is { IsInternal: true }
                        ? PartitionError.InternalTopic
                        : append.Lookup.Error;
                    if (append.Error == PartitionError.None)
                    {
                        Begin(context, partition, refused?.Judge(reference, partition) ?? PartitionError.None, now, deadline, ref append);
                    }

                    _hasRefused |= append.Error != PartitionError.None;

                    begun++;
                }
            }
        }
        finally
        {
            for (var i = 0; i < begun; i++)
            {
                if (_appends[i].Error == PartitionError.None)
                {
                    await WaitUntilBegunAsync(i);
                }
            }
        }

        if (_hasRefused)
        {
            RememberRefused(context, request);
        }
    }

    /// <summary>Waits until every append is durable or has failed.</summary>
    public Task SettleAsync() => _settling = SettleAllAsync();

    public void Dispose()
    {
        // While the settling goes on the array is its own, and the collector's afterwards.
        if (_settling.IsCompleted)
        {
            _appends.AsSpan(0, _count).Clear();
            ArrayPool<ProducedPartition>.Shared.Return(_appends);
        }
    }

    private void Begin(
        RequestContext context,
        ProduceRequest.PartitionProduceData partition,
        PartitionError behind,
        long now,
        RequestDeadline deadline,
        ref ProducedPartition append)
    {
        var target = append.Lookup.Partition!;
        ProducedBatch batch;
        try
        {
            append.Error = _intake.Check(
                partition.Records, context.Frame, context.ApiVersion >= FirstWithZstd, target.Settings, now, out batch, out append.Refusal);
        }
        catch (Exception failure)
        {
            append.Error = Contain(failure, target, PartitionError.Failed);
            return;
        }

        if (append.Error == PartitionError.None)
        {
            (append.Records, append.Bytes) = (batch.Count, batch.Bytes.Length);
#pragma warning disable CA2012 // Awaited once, below: the partitions of a request begin together, so that a parked one holds up no other.
            append.Beginning = target.AppendAsync(batch with { Behind = behind }, fromReserve: false, deadline.Token);
#pragma warning restore CA2012
            if (!ReferenceEquals(batch.Buffer, context.Frame))
            {
                // What was stored in another form: the append holds it now, or is done with it.
                batch.Buffer.Release();
            }
        }
    }

    private async ValueTask WaitUntilBegunAsync(int index)
    {
        PendingAppend pending;
        try
        {
            pending = await _appends[index].Beginning;
        }
        catch (Exception failure)
        {
            pending = PendingAppend.Refused(Contain(failure, _appends[index].Lookup.Partition!, PartitionError.Failed));
        }

        ref var append = ref _appends[index];
        append.Error = pending.Error;
        append.Pending = pending;
        if (pending.Error == PartitionError.None)
        {
            _metrics.Produced(append.Records, append.Bytes);
            AppendedBytes += append.Bytes;
        }
        else
        {
            _hasRefused = true;
        }
    }

    /// <summary>Before the next request begins: it may bring what was sent behind.</summary>
    private void RememberRefused(RequestContext context, ProduceRequest request)
    {
        var next = 0;
        foreach (var topic in request.TopicData)
        {
            foreach (var partition in topic.PartitionData)
            {
                if (_appends[next++].Error is var error and not PartitionError.None)
                {
                    RefusedBatches.Add(context.Connection, ProduceHandler.TopicOf(context, topic), partition, error);
                }
            }
        }

        if (RefusedBatches.Of(context.Connection) is { IsFull: true })
        {
            context.DisconnectAfterResponse();
        }
    }

    /// <summary>Keeps a failure from the request's other partitions; one that no partition can carry stops the node.</summary>
    private PartitionError Contain(Exception failure, Partition partition, PartitionError error)
    {
        if (failure is InvariantViolationException)
        {
            _runtime.Fail(failure);
        }

        PartitionMessages.ProduceFailed(_logger, partition.Id, error, failure);
        return error;
    }

    private async Task SettleAllAsync()
    {
        for (var i = 0; i < _count; i++)
        {
            if (_appends[i].Error == PartitionError.None)
            {
                try
                {
                    await _appends[i].Pending.Durable;
                }
                catch (StreamException)
                {
                    // Whether it is durable will show at the next owner. To the client that is a time-out: it must not conclude that it failed.
                    _appends[i].Error = PartitionError.TimedOut;
                }
                catch (Exception failure)
                {
                    _appends[i].Error = Contain(failure, _appends[i].Lookup.Partition!, PartitionError.TimedOut);
                }
            }

            Volatile.Write(ref _appends[i].Settled, true);
        }
    }
}
