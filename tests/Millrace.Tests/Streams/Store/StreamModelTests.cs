using CsCheck;
using Millrace.Runtime.Ids;
using Millrace.Streams.Recovery;
using Millrace.Streams.Upload;
using Millrace.Tests.Streams.Recovery;
using Xunit;

namespace Millrace.Tests.Streams.Store;

/// <summary>Random lives of a few streams against a model: appends, uploads, trims, reads, clean restarts and takeovers.</summary>
public sealed class StreamModelTests
{
    private enum Step
    {
        Append,
        Upload,
        UploadAlone,
        Trim,
        Read,
        FindByTime,
        Reopen,
        Restart,
        TakeOver,
    }

    [Fact]
    public async Task Streams_hold_what_was_acknowledged_through_any_life()
    {
        var genStep = Gen.Frequency(
            (12, Gen.Const(Step.Append)), (3, Gen.Const(Step.Upload)), (2, Gen.Const(Step.UploadAlone)), (1, Gen.Const(Step.Trim)),
            (4, Gen.Const(Step.Read)), (2, Gen.Const(Step.FindByTime)), (1, Gen.Const(Step.Reopen)), (1, Gen.Const(Step.Restart)),
            (1, Gen.Const(Step.TakeOver)));
        var genSteps = Gen.Select(genStep, Gen.Int[0, 2], Gen.Double[0, 1], Gen.Int[1, 1500]).Array[20, 120];
        await genSteps.SampleAsync(
            async steps =>
            {
                await using var life = new Life();
                await life.BeginAsync();
                foreach (var (step, stream, part, size) in steps)
                {
                    await life.TakeAsync(step, stream, part, size);
                }

                await life.CheckAllAsync();
            },
            iter: 60);
    }

    private sealed class Life : IAsyncDisposable
    {
        private readonly TestRegistry _registry = new();
        private readonly TestStorage _storage = new();
        private readonly List<(StreamId Id, List<(long Base, long Count, long Timestamp)> Records)> _model = [];
        private readonly List<TestOwner> _owners = [];
        private TestNode _node;
        private int _epoch = 1;

        public Life() => _node = Start();

        public async Task BeginAsync()
        {
            for (var i = 0; i < 3; i++)
            {
                _owners.Add(await _node.CreateAsync());
                _model.Add((_owners[i].Stream.Id, []));
            }
        }

        public async Task TakeAsync(Step step, int index, double part, int size)
        {
            var (owner, records) = (_owners[index], _model[index].Records);
            var stream = owner.Stream;
            var offset = stream.StartOffset + (long)(part * (stream.ConfirmOffset - stream.StartOffset));
            switch (step)
            {
                case Step.Append:
                    var (count, timestamp) = (1 + size % 3, size % 7 * 100);
                    records.Add((stream.NextOffset, count, timestamp));
                    await _node.AppendAsync(owner, count, size, timestamp);
                    break;
                case Step.Upload:
                    await _node.UploadAsync();
                    break;
                case Step.UploadAlone:
                    await stream.UploadAsync(stream.NextOffset, default);
                    break;
                case Step.Trim:
                    await stream.TrimAsync(offset, default);
                    break;
                case Step.Read:
                    await CheckAsync(index, offset, size);
                    break;
                case Step.FindByTime:
                    using (var found = await stream.FindByTimestampAsync(size % 700, fromOffset: 0, default))
                    {
                        long? expected = records.Where(record => record.Base + record.Count > stream.StartOffset && record.Timestamp >= size % 700)
                            .Select(record => (long?)record.Base).FirstOrDefault();
                        Assert.Equal(expected, found?.Records.Single().BaseOffset);
                    }

                    break;
                case Step.Reopen:
                    await stream.CloseAsync(default);
                    _owners[index] = await _node.OpenAsync(stream.Id, ++_epoch);
                    break;
                case Step.Restart:
                    await _node.Store.CloseAsync(default);
                    Assert.Empty(_node.Wal.Records);
                    await NextAsync();
                    break;
                case Step.TakeOver:
                    _registry.Fence(_node.Incarnation);
                    await using (var wal = _node.Wal.TakeOver())
                    {
                        var target = new UploadTarget(new(new NodeId(1), new NodeEpoch(_epoch + 1)), _storage, _registry, _node.Buffers);
                        await new ShareRecoverer(_node.Runtime, _node.Options, target).RecoverShareAsync(wal);
                    }

                    await NextAsync();
                    break;
            }
        }

        public async Task CheckAllAsync()
        {
            for (var i = 0; i < _owners.Count; i++)
            {
                await CheckAsync(i, _owners[i].Stream.StartOffset, 1000);
                Assert.Equal(
                    _owners[i].Stream.Extents.Sum(extent => extent.EndOffset - extent.StartOffset) > 0,
                    _owners[i].Stream.StartOffset < _owners[i].Stream.ConfirmOffset);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _node.DisposeAsync();
            await _storage.DisposeAsync();
        }

        private TestNode Start() => new(
            _registry, _storage, TestNode.Small with { UploadBytes = 30_000, TailCacheBytes = 3_000, BlockCacheBytes = 20_000 }, _epoch);

        private async Task NextAsync()
        {
            await _node.DisposeAsync();
            _epoch++;
            _node = Start();
            for (var i = 0; i < _owners.Count; i++)
            {
                _owners[i] = await _node.OpenAsync(_model[i].Id, _epoch);
            }
        }

        private async Task CheckAsync(int index, long offset, int maxBytes)
        {
            var expected = _model[index].Records.Where(record => record.Base + record.Count > offset).Select(record => record.Base);
            Assert.Equal(expected, await TestNode.ReadAllAsync(_owners[index].Stream, offset, maxBytes));
        }
    }
}
