using CsCheck;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller;

/// <summary>Random requests, right and wrong ones, against a plain model of what the committed data must be.</summary>
public sealed class ClusterPropertyTests
{
    [Fact]
    public Task Whatever_is_asked_the_state_stays_sound_and_survives_replay_and_snapshots() =>
        Gen.Int[0, 13].Select(Gen.Int[0, 999]).Array[1, 120].SampleAsync(
            async steps =>
            {
                var run = new Run();
                foreach (var (kind, number) in steps)
                {
                    run.Step(kind, number);
                    run.Check();
                }

                await run.CheckSnapshotAsync();
            },
            iter: 300);

    private sealed class Run
    {
        private readonly ClusterScript _script = new();
        private readonly List<NodeIncarnation> _nodes = [];
        private readonly List<StreamId> _streams = [];
        private readonly List<ObjectId> _objects = [];

        // What was accepted: for each stream its committed end, which may only rise.
        private readonly SortedDictionary<StreamId, long> _ends = [];
        private int _topics;

        public Run() => _nodes.Add(_script.Register());

        public void Step(int kind, int number)
        {
            try
            {
                Do(kind, number);
            }
            catch (StreamException)
            {
                // A refusal is as good an answer as any: what matters is the state after it.
            }
        }

        public void Check()
        {
            var streams = _script.State.Streams;
            var references = new SortedDictionary<ObjectId, int>();
            foreach (var stream in streams.Streams.Values)
            {
                CheckStream(stream);
                foreach (var id in stream.Ranges.Select(range => range.Object).Concat(stream.Checkpoint is { } checkpoint ? [checkpoint.Object] : []))
                {
                    references[id] = references.GetValueOrDefault(id) + 1;
                }
            }

            foreach (var state in streams.Objects.All.Values)
            {
                Assert.Equal(references.GetValueOrDefault(state.Id), state.References);
                Assert.True(state.References == 0 || state.Phase == ObjectPhase.Committed);
                Assert.Equal(state.Phase == ObjectPhase.Prepared, streams.Objects.Prepared.Contains(state.Id));
                Assert.Equal(state.Phase == ObjectPhase.Deleting, streams.Objects.Deleting.Contains(state.Id));
                Assert.Equal(state.Phase == ObjectPhase.Committed && state.References == 0, streams.Objects.Unreferenced.Contains(state.Id));
            }

            Assert.Subset(streams.Objects.All.Keys.ToHashSet(), references.Keys.ToHashSet());
        }

        public async Task CheckSnapshotAsync()
        {
            var snapshot = new Snapshot(
                new LogStart(new LogPlace(3, 7), _script.Random.NewId(), [new LogPlace(0, 0), new LogPlace(2, 9)]),
                new ControllerSeal { IncarnationId = _script.Random.NewId(), Host = "h", Port = 1 },
                _script.State);
            var storage = new MemoryObjectStorage();
            await using var process = new ControllerNode(storage);
            var store = new SnapshotStore(process.Runtime, storage, new MetadataLogOptions { SnapshotPartBytes = 200 });
            await store.SaveAsync(snapshot, default);
            var read = (await store.FindAsync(whole: true, default)).Newest!;

            Assert.Equal(ClusterScript.Bytes(snapshot.State), ClusterScript.Bytes(read.State));
            Assert.Equal((snapshot.Start.Next, snapshot.Start.After), (read.Start.Next, read.Start.After));
            Assert.Equal(snapshot.Start.Seals, read.Start.Seals);
            var copy = new ClusterScript { State = read.State };
            Assert.Equal(_script.State.Cluster.Version, copy.State.Cluster.Version);
            foreach (var node in _nodes)
            {
                Assert.Equal(_script.State.Streams.OpenStreamsOf(node), copy.State.Streams.OpenStreamsOf(node));
            }

            Assert.Equal(_script.Register(withWal: false), copy.Register(withWal: false));
        }

        private void CheckStream(StreamState stream)
        {
            Assert.True(stream.CommittedEnd >= _ends.GetValueOrDefault(stream.Id));
            _ends[stream.Id] = stream.CommittedEnd;
            long? end = null;
            foreach (var range in stream.Ranges)
            {
                Assert.True(range.StartOffset < range.EndOffset && range.EndOffset > stream.StartOffset);
                Assert.True(end is null || end == range.StartOffset);
                end = range.EndOffset;
            }

            // All that was not trimmed is there, up to the end; an accepted loss may have moved the end up to the start.
            Assert.True(end == stream.CommittedEnd || (end is null && stream.StartOffset >= stream.CommittedEnd) || stream.CommittedEnd == 0);
            Assert.True(stream.Ranges.IsEmpty || stream.Ranges.StartOffset <= stream.StartOffset);
            var epochs = stream.Epochs.ToArray();
            for (var i = 1; i < epochs.Length; i++)
            {
                Assert.True(epochs[i - 1].Epoch < epochs[i].Epoch && epochs[i - 1].EndOffset <= epochs[i].StartOffset);
            }
        }

        private void Do(int kind, int number)
        {
            // Mostly the newest incarnation, sometimes a former one.
            var node = number % 7 == 0 ? _nodes[number % _nodes.Count] : _nodes[^1];
            var stream = _streams.Count == 0 ? new StreamId(0) : _streams[number % _streams.Count];
            var state = _script.State.Streams.Find(stream);
            var epoch = new StreamEpoch((state?.LastEpoch?.Epoch.Value ?? -1) + (number % 5 == 0 ? 1 : 0));
            switch (kind)
            {
                case 0 when number % 4 == 0:
                    _nodes.Add(_script.Register(withWal: number % 8 == 0));
                    break;
                case 0 or 1:
                    var id = _script.Do(entry => StreamOperations.Create(entry, node));
                    _streams.Add(id);
                    _script.Open(node, id, number % 3);
                    break;
                case 2:
                    _script.Do(entry => StreamOperations.Open(entry, node, stream, new StreamEpoch(epoch.Value + 1)));
                    break;
                case 3:
                    _script.Do(entry => StreamOperations.Close(entry, node, stream, epoch, state?.CommittedEnd ?? 0));
                    break;
                case 4:
                    _script.Do(entry => StreamOperations.Trim(entry, node, stream, epoch, (state?.StartOffset ?? 0) + (number % 40)));
                    break;
                case 5:
                    _objects.Add(_script.Prepare(node));
                    break;
                case 6 or 7 or 8:
                    Commit(node, epoch, stream, state, number);
                    break;
                case 9:
                    _script.Do(entry => ObjectOperations.BeginDeletion(entry, number % 3 == 0 ? _objects : [], 100));
                    _script.Do(entry => ObjectOperations.EndDeletion(entry, [.. _script.State.Streams.Objects.Deleting.Take(number % 3)]));
                    break;
                case 10:
                    Recover(number);
                    break;
                case 12 or 13:
                    Compact(node, stream, state, number);
                    break;
                default:
                    Topics(number);
                    break;
            }
        }

        private void Commit(NodeIncarnation node, StreamEpoch epoch, StreamId stream, StreamState? state, int number)
        {
            var wal = number % 6 == 0 && _script.State.Cluster.Wals.Count > 0 ? _script.State.Cluster.Wals.Keys.First() : (Guid?)null;
            var id = number % 9 == 0 && _objects.Count > 0 ? _objects[number % _objects.Count] : _script.Prepare(node);
            var start = Math.Max(0, (state?.CommittedEnd ?? 0) + ((number % 10) switch { 0 => 3, 1 => -2, _ => 0 }));
            var end = start + (number % 13);
            _script.Commit(
                node,
                wal,
                ClusterScript.Range(id, stream, epoch.Value, start, end, checkpoint: number % 3 == 0 || start == end),
                ClusterScript.Range(id, stream, epoch.Value, end, end + 5));
        }

        // Of some ranges that follow one another, mostly as they are, sometimes as they never were.
        private void Compact(NodeIncarnation node, StreamId stream, StreamState? state, int number)
        {
            RangeState[] some = [.. (state?.Ranges ?? StreamRanges.Empty).Skip(number % 3).Take(1 + number % 5)];
            if (some.Length == 0)
            {
                return;
            }

            // One offset more is another range as it is, where that has just one.
            var isWrong = number % 17 == 0 && !state!.Ranges.Any(range => range.EndOffset == some[^1].EndOffset + 1);
            var (id, end) = (_script.Prepare(node), some[^1].EndOffset + (isWrong ? 1 : 0));
            ObjectId[] sources = [.. some.Select(range => range.Object).Concat(state!.Checkpoint is { } known ? [known.Object] : []).Distinct()];
            var shares = sources.Select(source => new SourceShare(source, _script.State.Streams.Objects.All[source].Digest, default)).ToArray();
            var range = ClusterScript.Range(id, stream, state.EpochAt(some[0].StartOffset).Value, some[0].StartOffset, end, checkpoint: number % 2 == 0) with
            {
                ObjectDigest = shares.Aggregate(default(RangeDigest), (sum, share) => sum + share.Taken),
            };
            var replaced = _script.Do(entry => CompactionJudge.Commit(entry, new CompactionCommit(node, shares, [range]), CompactionRules.Default));
            Assert.True(replaced == 0 || (replaced == some.Length && !isWrong));
        }

        private void Recover(int number)
        {
            if (WaitingWals.Waiting(_script.State) is not [var waiting, ..])
            {
                return;
            }

            if (number % 2 == 0)
            {
                _script.Do(entry => ClusterScript.Recover(entry, _nodes[^1], waiting.Wal.Id));
            }
            else
            {
                var some = waiting.Streams.Where((_, i) => i % 2 == number % 3).Select(item => item.Stream).ToHashSet();
                _script.Do(entry => WaitingWals.AcceptLoss(entry, waiting.Wal.Id, number % 5 == 0 ? null : some));
            }
        }

        private void Topics(int number)
        {
            var live = _nodes[^1];
            if (number % 3 == 0 && _script.State.Cluster.Topics.Keys.FirstOrDefault() is { } name)
            {
                var gone = _script.State.Cluster.Topics[name].Partitions.Select(partition => partition.Stream).ToArray();
                _script.DeleteTopic(name);
                _streams.RemoveAll(gone.Contains);
                return;
            }

            var topic = _script.CreateTopic($"t{_topics++}", 1 + (number % 3));
            foreach (var partition in topic.Partitions)
            {
                _streams.Add(partition.Stream);
                _script.Open(live, partition.Stream, partition.Epoch.Value);
            }
        }
    }
}
