using System.Buffers;
using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Simulation.Scenarios.Controllers;

/// <summary>One process that takes the cluster over now and then, and asks of its controller whatever comes to its mind.</summary>
internal sealed class ControllerLife(ControllerWorld world, NodeRuntime runtime, IObjectStorage storage)
{
    private static readonly MetadataLogOptions LogOptions = new() { SnapshotEntries = 12, SnapshotPartBytes = 500 };

    private static readonly ClusterControllerOptions Options = new()
    {
        CollectionInterval = TimeSpan.FromSeconds(1),
        DeletionDelay = TimeSpan.FromSeconds(2),
        PrepareDeadline = TimeSpan.FromSeconds(6),
        SweepInterval = TimeSpan.FromSeconds(5),
    };

    private readonly SeededRandom _random = new(world.Kernel.Random.NextUInt64());
    private readonly List<string> _topics = [];
    private StreamId _stream;
    private long _end;

    public async Task RunAsync()
    {
        while (!world.IsOver)
        {
            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(8)), runtime.Time);
            try
            {
                await LiveAsync();
            }
            catch (Exception lost) when (lost is StreamException { Error: StreamError.ControllerLost }
                or ControllerException { Error: ControllerError.ControllerLost })
            {
                // Deposed: the process stops, as a broker would. Nobody fences it: no other incarnation registers here.
                return;
            }
        }
    }

    /// <summary>Takes over for good and returns what the log says.</summary>
    public async Task<ClusterState> AuditAsync()
    {
        while (true)
        {
            var log = await MetadataLog.OpenAsync(runtime, storage, LogOptions, default);
            if (await log.TryTakeOverAsync(Seal(runtime.NewId()), default))
            {
                return log.State;
            }

            await log.DisposeAsync();
        }
    }

    private static ControllerSeal Seal(Guid incarnation) => new() { IncarnationId = incarnation, Host = "h", Port = 1 };

    private async Task LiveAsync()
    {
        var incarnation = runtime.NewId();
        var log = await MetadataLog.OpenAsync(runtime, storage, LogOptions, default);
        if (log.StartedFromSnapshot)
        {
            world.Kernel.Coverage.Count("controllers: snapshot read at a start");
        }

        if (await AskedController.TryStartAsync(runtime, log, storage, Seal(incarnation), Options) is not { } controller)
        {
            await log.DisposeAsync();
            return;
        }

        await using (controller)
        {
            var self = await controller.RegisterAsync(
                new NodeRegistration(incarnation, [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null) { Name = "node" }, default);
            _stream = await controller.CreateAsync(self, default);
            _end = (await controller.OpenAsync(self, _stream, new StreamEpoch(0), default)).EndOffset;
            var until = world.Kernel.Now + _random.Between(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(20));
            while (!world.IsOver && world.Kernel.Now < until)
            {
                await ActAsync(controller, self);
            }
        }
    }

    private async Task ActAsync(AskedController controller, NodeIncarnation self)
    {
        switch (_random.Next(0, 6))
        {
            case 0:
                await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ => world.Oracle.Prepared(await controller.PrepareAsync(self, 1, default))));
                break;
            case 1:
                var ids = await controller.AllocateProducerIdsAsync(
                    new AllocateProducerIdsRequest { BrokerId = self.Node.Value, BrokerEpoch = self.Epoch.Value }, default);
                Expect(ids.ErrorCode == 0, "A live node got no producer ids");
                world.Oracle.ProducersAllocated(ids.ProducerIdStart);
                break;
            case 2:
                await CreateTopicAsync(controller);
                break;
            case 3 when _topics.Count > 0:
                var gone = _random.Pick(_topics);
                world.Oracle.TopicDeletionBegins(gone);
                var answer = await controller.DeleteTopicsAsync(new DeleteTopicsRequest { Topics = [new() { Name = gone }] }, default);
                if (answer.Responses[0].ErrorCode == 0)
                {
                    world.Oracle.TopicDeleted(gone);
                }
                else
                {
                    world.Kernel.Coverage.Count("controllers: request refused");
                }

                break;
            default:
                await CommitAsync(controller, self);
                break;
        }
    }

    private async Task CreateTopicAsync(AskedController controller)
    {
        var name = $"t{_random.NextUInt64():x}";
        var response = await controller.CreateTopicsAsync(
            new CreateTopicsRequest { Topics = [new() { Name = name, NumPartitions = 2, ReplicationFactor = 1 }] }, default);
        Expect(response.Topics[0].ErrorCode == 0, $"Topic {name} was refused: {response.Topics[0].ErrorMessage}");
        Expect(controller.Metadata.Image.TryGetTopic(name, out _), "The answer came before the image");
        world.Oracle.TopicCreated(name, response.Topics[0].TopicId);
        _topics.Add(name);
    }

    private async Task CommitAsync(AskedController controller, NodeIncarnation self)
    {
        var id = await controller.PrepareAsync(self, 1, default);
        try
        {
            await storage.PutAsync(DataObjectKey.Of(id), new ReadOnlySequence<byte>(new byte[1]), default);
            world.Oracle.Uploaded();
        }
        catch (ObjectStorageException)
        {
            // The upload is given up; what it left is the collector's.
            return;
        }

        var start = _random.Chance(0.2) ? Math.Max(0, _end - 1) : _end;
        var end = _end + (_random.Chance(0.1) ? 0 : 3);
        if (start == end)
        {
            return;
        }

        var range = new ObjectRange(
            id, ObjectKind.StreamSet, 1, _stream, new StreamEpoch(0), start, end, end - start, -1, HasCheckpoint: false, default);
        try
        {
            var verdict = (await controller.CommitAsync(new UploadCommit(self, null, [range]), default)).Verdicts[0];
            var again = (await controller.CommitAsync(new UploadCommit(self, null, [range]), default)).Verdicts[0];
            Expect(verdict == again || verdict.Outcome == RangeOutcome.Void, "A repeated commit got another verdict");
            if (verdict.Outcome is RangeOutcome.Accepted or RangeOutcome.Cut)
            {
                world.Oracle.Committed(_stream, verdict.StartOffset, end, id);
                _end = end;
            }

            if (verdict.Outcome is not RangeOutcome.Accepted)
            {
                world.Kernel.Coverage.Count("controllers: commit cut or void");
            }
        }
        catch (StreamException refused) when (refused.Error == StreamError.PrepareExpired)
        {
            world.Kernel.Coverage.Count("controllers: request refused");
        }
    }

    private static void Expect(bool holds, string violation)
    {
        if (!holds)
        {
            throw new ViolationException(violation);
        }
    }
}
