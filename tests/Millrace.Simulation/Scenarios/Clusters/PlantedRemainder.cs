using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Objects and a WAL with a mistake between them: records count as durable when an object that holds them is written, though neither the WAL has them yet nor
/// anything is committed. Only what is uploaded beside its write to the WAL is in an object so soon: the remainder of a stream that closes.
/// </summary>
/// <param name="onEarly">Called when something counts as durable that the WAL does not have yet.</param>
internal sealed class PlantedRemainder(Action onEarly)
{
    private Wal? _wal;

    public IObjectStorage Watch(IObjectStorage storage) => new Store(this, storage);

    public IWalProvider Hurry(IWalProvider wals) => new Wals(this, wals);

    private void OnWritten(ReadOnlySequence<byte> body)
    {
        var bytes = body.ToArray();
        if (DataObjectFooter.Read(bytes.AsSpan(bytes.Length - DataObjectFooter.EncodedSize)) is { } footer
            && DataObjectIndex.Read(footer.Object, footer.ObjectSize, bytes.AsSpan((int)footer.IndexPosition, footer.IndexLength)) is { } index)
        {
            var isEarly = false;
            foreach (var range in index.Ranges)
            {
                isEarly |= _wal?.OnWritten(range.Stream, range.EndOffset) == true;
            }

            if (isEarly)
            {
                onEarly();
            }
        }
    }

    private sealed class Store(PlantedRemainder remainder, IObjectStorage storage) : IObjectStorage
    {
        public string Name => storage.Name;

        public StoreTrouble? Trouble => storage.Trouble;

        public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) => storage.TryCreateAsync(key, body, token);

        public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
        {
            await storage.PutAsync(key, body, token);
            if (key.StartsWith(DataObjectKey.Prefix, StringComparison.Ordinal))
            {
                remainder.OnWritten(body);
            }
        }

        public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => storage.GetAsync(key, token);

        public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) =>
            storage.ReadAsync(key, position, destination, token);

        public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
            storage.ListAsync(prefix, startAfter, limit, token);

        public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => storage.DeleteAsync(keys, token);

        public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
            storage.ListUnfinishedUploadsAsync(prefix, token);

        public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => storage.AbortUploadAsync(upload, token);

        public ValueTask DisposeAsync() => storage.DisposeAsync();
    }

    private sealed class Wals(PlantedRemainder remainder, IWalProvider wals) : IWalProvider
    {
        public WalKind Kind => wals.Kind;

        public WalDescriptor Describe(NodeId node, NodeEpoch epoch, IReadOnlyCollection<WalDescriptor> waiting) => wals.Describe(node, epoch, waiting);

        public ValueTask RemoveUnfinishedAsync(CancellationToken token) => wals.RemoveUnfinishedAsync(token);

        public async ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token) =>
            remainder._wal = new Wal(await wals.CreateAsync(descriptor, token));

        public bool SharesRoomWith(WalDescriptor retired) => wals.SharesRoomWith(retired);

        public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => wals.FindOthersAsync(known, token);

        public ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token) => wals.TakeOverAsync(descriptor, token);

        public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => wals.DiscardAsync(descriptor, token);
    }

    private sealed class Wal(IWriteAheadLog wal) : IWriteAheadLog
    {
        private readonly List<Append> _underWay = [];

        // Ends when all so far are durable, or never will be.
        private Task _last = Task.CompletedTask;

        public WalDescriptor Descriptor => wal.Descriptor;

        public double Fullness => wal.Fullness;

        public int MaxRecordBytes => wal.MaxRecordBytes;

        public TimeSpan Stalled => wal.Stalled;

        public Task<StreamException> Lost => wal.Lost;

        public ValueTask AppendAsync(in StreamRecord record, out long position)
        {
            // Whoever is answered early lets go of its memory early.
            var append = new Append(record.Stream, record.EndOffset);
            var durable = wal.AppendAsync(record with { Payload = record.Payload.ToArray() }, out position);
            _underWay.Add(append);
            _last = FollowAsync(append, durable);
            return new ValueTask(append.Durable.Task);
        }

        public bool OnWritten(StreamId stream, long endOffset)
        {
            var isEarly = false;
            foreach (var append in _underWay.Where(append => append.Stream == stream && append.EndOffset <= endOffset))
            {
                isEarly |= append.Durable.TrySetResult();
            }

            return isEarly;
        }

        public bool HasPlaceFor(long position) => wal.HasPlaceFor(position);

        // The WAL takes it that nothing is under way of what it is to give up.
        public async ValueTask TrimAsync(long position, CancellationToken token)
        {
            await _last;
            await wal.TrimAsync(position, token);
        }

        public async ValueTask RetireAsync(CancellationToken token)
        {
            await _last;
            await wal.RetireAsync(token);
        }

        public ValueTask DisposeAsync() => wal.DisposeAsync();

        private async Task FollowAsync(Append append, ValueTask durable)
        {
            try
            {
                await durable;
                append.Durable.TrySetResult();
            }
            catch (Exception failure)
            {
                append.Durable.TrySetException(failure);
            }
            finally
            {
                _underWay.Remove(append);
            }
        }
    }

    private sealed record Append(StreamId Stream, long EndOffset)
    {
        public TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
