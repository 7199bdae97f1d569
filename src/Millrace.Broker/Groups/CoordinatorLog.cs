using System.Runtime.CompilerServices;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Coordination.Shards;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Groups;

/// <summary>A partition as the log of a coordinator's shard, for as long as this node leads it at one epoch.</summary>
/// <remarks>
/// Appends take their offsets in the order of the calls, also where the store makes them wait for room: each waits for the one
/// before. When one is refused, those behind it are too, until the log has been read anew; so what is there is a prefix of
/// what was asked for.
/// </remarks>
internal sealed class CoordinatorLog(NodeRuntime runtime, Partition partition, BufferPool buffers) : IPartitionWriter, IPartitionLoader
{
    private const int ReadBytes = 1 << 20;

    // A stalled object store makes producers wait. Groups go on in the reserve; when that is full too, members wait for as long as most
    // clients would, and then they are told.
    private static readonly TimeSpan LongestWaitForRoom = TimeSpan.FromSeconds(30);

    // Made beforehand: it is needed when there is no memory.
    private static readonly Task<PartitionError> NotPlaced = Task.FromResult(PartitionError.Failed);

    private RecordBatchBuilder _builder = new();
    private Task<PartitionError> _placed = Task.FromResult(PartitionError.None);

    public int MaxBatchBytes => Math.Min(partition.Settings.MaxMessageBytes, partition.MaxAppendBytes);

    public bool IsBusy => partition.IsStoreBusy;

    public ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp)
    {
        try
        {
            foreach (var record in records)
            {
                _builder.Append(timestamp, record.Key, record.Value);
            }

            var bytes = _builder.Build();
            var buffer = buffers.Rent(bytes.Length);
            bytes.CopyTo(buffer.GetSpan());
            var append = PlaceAsync(_placed, ProducedBatch.OfBroker(buffer, records.Count, timestamp));
            _placed = OutcomeAsync(append);
            return DurableAsync(append);
        }
        catch
        {
            // Half a batch must not go with the next one, nor what comes behind take its place.
            _builder = new RecordBatchBuilder();
            _placed = NotPlaced;
            throw;
        }
    }

    public async ValueTask TrimAsync(long offset, CancellationToken token)
    {
        var (error, _) = await partition.RaiseLogStartAsync(offset, token);
        Check(error);
    }

    public async IAsyncEnumerable<LoadedRecords> ReadAsync(long offset, [EnumeratorCancellation] CancellationToken token)
    {
        var keyed = new List<EncodedRecord>();
        _placed = Task.FromResult(PartitionError.None);
        Check(await partition.WhenOpenAsync(token));
        if (offset > 0 && offset < partition.LogStartOffset)
        {
            throw new CoordinatorException(CoordinatorError.Unavailable, $"{partition.Id} begins at {partition.LogStartOffset}, and was read up to {offset}");
        }

        var end = partition.HighWatermark;
        for (var next = Math.Max(offset, partition.LogStartOffset); next < end;)
        {
            var read = await partition.ReadAsync(new PartitionFetch(next, ReadBytes, AtLeastOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1), token);
            Check(read.Error);
            using var records = read.Records
                ?? throw new CoordinatorException(CoordinatorError.Unavailable, $"{partition.Id} has no record at {next}");
            foreach (var part in CoordinatorRecords.In(records, keyed))
            {
                yield return part;
            }

            next = records.Records[^1].EndOffset;
        }
    }

    private async Task<PendingAppend> PlaceAsync(Task<PartitionError> before, ProducedBatch batch)
    {
        try
        {
            var refused = await before;
            if (refused != PartitionError.None)
            {
                return PendingAppend.Refused(refused);
            }

            using var patience = new CancellationTokenSource(LongestWaitForRoom, runtime.Time);
            return await partition.AppendAsync(batch, fromReserve: true, patience.Token);
        }
        finally
        {
            batch.Buffer.Release();
        }
    }

    private static async Task<PartitionError> OutcomeAsync(Task<PendingAppend> append) => (await append).Error;

    private async ValueTask<long> DurableAsync(Task<PendingAppend> append)
    {
        var placed = await append;
        Check(placed.Error);
        try
        {
            await placed.Durable;
            return placed.BaseOffset;
        }
        catch (StreamException failure)
        {
            throw new CoordinatorException(CoordinatorErrors.Of(failure.Error, partition.Phase), failure.Message, failure);
        }
    }

    private void Check(PartitionError error)
    {
        if (error != PartitionError.None)
        {
            throw new CoordinatorException(
                CoordinatorErrors.Of(error, partition.Phase), $"{partition.Id} at leader epoch {partition.LeaderEpoch} refused: {error}");
        }
    }
}
