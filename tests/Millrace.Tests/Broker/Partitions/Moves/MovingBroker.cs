using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Partitions.Moves;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>A broker whose partitions are planned to another by a test, which plays the controller and can hold its calls back.</summary>
internal sealed class MovingBroker : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (TaskCompletionSource Reached, TaskCompletionSource Held)> _held = [];
    private int _waiting;

    public MovingBroker(IReadOnlyDictionary<string, string>? settings = null, Func<IStreamStore, IStreamStore>? around = null)
    {
        Inner = PartitionsUnderTest.Start(settings: settings, around: around);
        Inner.Registry.Before = async call =>
        {
            (TaskCompletionSource Reached, TaskCompletionSource Held) hold;
            lock (_lock)
            {
                if (!_held.TryGetValue(call, out hold))
                {
                    return;
                }
            }

            Interlocked.Increment(ref _waiting);
            hold.Reached.TrySetResult();
            await hold.Held.Task;
            Interlocked.Decrement(ref _waiting);
        };
        Inner.Registry.HandedOver = stream => Change(
            known => known.Stream == stream, known => known with { Leader = known.PlannedTo ?? known.Leader, PlannedTo = null, Epoch = new StreamEpoch(2) });
    }

    /// <summary>One of which all that a partition holds is left for when it has stopped.</summary>
    public static MovingBroker WithoutUploadsAhead() => new(around: store => new StoreWithoutMemory(store));

    public PartitionsUnderTest Inner { get; }

    /// <summary>So many calls are held back now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public IReadOnlyList<MoveProgress> Moves => Inner.Table.Moves;

    /// <summary>Topic "t", of which each partition is open and has a record.</summary>
    public async Task<IReadOnlyList<Partition>> AddTopicAsync(int partitions)
    {
        await Inner.AddTopicAsync(partitions: partitions);
        var open = new List<Partition>();
        for (var i = 0; i < partitions; i++)
        {
            open.Add(await Inner.OpenAsync(partition: i));
            await AppendAsync(open[i]);
        }

        return open;
    }

    public async Task AppendAsync(Partition partition)
    {
        var batch = ProducedBatch.OfBroker(Batches.Frame(Inner.Buffers, Batches.Of("v")), 1, 1_000);
        var pending = await partition.AppendAsync(batch, fromReserve: false, default);
        Assert.Equal(PartitionError.None, pending.Error);
        await pending.Durable;
    }

    /// <summary>All partitions, or one, are planned to the other node, or to nobody.</summary>
    public void Plan(NodeId? to, int? partition = null) =>
        Change(known => known.Leader == PartitionsUnderTest.Self && (partition ?? known.Index) == known.Index, known => known with { PlannedTo = to });

    public void Change(Func<PartitionImage, bool> which, Func<PartitionImage, PartitionImage> change)
    {
        lock (_lock)
        {
            Inner.Publish(image =>
            {
                var topic = image.Topics["t"];
                return PartitionsUnderTest.With(
                    image, topic with { Partitions = [.. topic.Partitions.Select(known => which(known) ? change(known) : known)] });
            });
        }
    }

    public void Configure(string name, string value) => Inner.Publish(image => image with
    {
        BrokerConfigs = image.BrokerConfigs.SetItem(
            MetadataImage.AllBrokers, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add(name, value)),
    });

    /// <summary>Calls of the registry of this name wait from now on, and those that have waited go on. The task ends when one waits.</summary>
    public Task Hold(string call)
    {
        var hold = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        TaskCompletionSource? former;
        lock (_lock)
        {
            former = _held.TryGetValue(call, out var known) ? known.Held : null;
            _held[call] = hold;
        }

        former?.SetResult();
        return hold.Item1.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public void Release(string call)
    {
        TaskCompletionSource held;
        lock (_lock)
        {
            _held.Remove(call, out var hold);
            held = hold.Held;
        }

        held.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var call in _held.Keys.ToList())
        {
            Release(call);
        }

        await Inner.DisposeAsync();
    }
}
