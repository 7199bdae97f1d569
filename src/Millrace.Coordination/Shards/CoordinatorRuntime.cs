using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>The shards of one coordinator topic that this node leads.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">What the shards run on.</param>
/// <param name="topic">The topic's name.</param>
/// <param name="create">Makes an empty shard.</param>
/// <param name="codec">The form of its records.</param>
/// <param name="spareRecords">How many records a log may hold beside the live ones before it is written anew; or half as many as those, if more.</param>
internal sealed class CoordinatorRuntime<TShard, TRecord>(
    NodeRuntime runtime, string topic, Func<ShardContext<TRecord>, TShard> create, ICoordinatorRecordCodec<TRecord> codec, int spareRecords)
    where TShard : class, ICoordinatorShard<TRecord>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, WarmShard<TShard, TRecord>> _warm = [];
    private readonly SortedDictionary<int, (int Epoch, CoordinatorPartition<TShard, TRecord> Shard)> _led = [];

    /// <summary>The partitions led here, in order.</summary>
    public IReadOnlyList<int> Led
    {
        get
        {
            lock (_gate)
            {
                return [.. _led.Keys];
            }
        }
    }

    /// <summary>What the shards led here keep, together.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _led.Values.Sum(led => led.Shard.Count);
            }
        }
    }

    /// <summary>This node leads a partition from now on: loads and serves its shard. An epoch that is not newer than the known one is ignored.</summary>
    public void Elect(int partition, int leaderEpoch, IPartitionWriter writer, IPartitionLoader loader)
    {
        lock (_gate)
        {
            if (_led.TryGetValue(partition, out var former))
            {
                if (former.Epoch >= leaderEpoch)
                {
                    return;
                }

                former.Shard.Resign();
            }

            _warm.Remove(partition, out var warm);
            _led[partition] = (
                leaderEpoch,
                new CoordinatorPartition<TShard, TRecord>(runtime, NameOf(partition), create, codec, writer, loader, spareRecords, warm));
        }
    }

    /// <summary>Reads a partition that another node leads, and this one is to lead next, and goes on reading until it is elected, or to forget it.</summary>
    /// <param name="partition">Its number.</param>
    /// <param name="maxBatchBytes">What a batch may take there.</param>
    /// <param name="committed">Reads what is committed of it.</param>
    /// <param name="tell">Hears up to which offset it was read, again and again.</param>
    public void WarmUp(int partition, int maxBatchBytes, IPartitionLoader committed, Func<long, CancellationToken, Task> tell)
    {
        lock (_gate)
        {
            if (!_warm.ContainsKey(partition))
            {
                var (name, logger) = (NameOf(partition), runtime.Loggers.CreateLogger("Millrace.Coordination"));
                _warm[partition] = new WarmShard<TShard, TRecord>(
                    runtime, name, () => LoadingShard<TShard, TRecord>.Create(runtime, logger, create, maxBatchBytes),
                    (shard, token) => shard.ReadAsync(committed, codec, logger, name, token), tell);
            }
        }
    }

    /// <summary>The partition is not to be led here after all.</summary>
    public void CoolDown(int partition)
    {
        lock (_gate)
        {
            if (_warm.Remove(partition, out var warm))
            {
                warm.Stop();
            }
        }
    }

    /// <summary>The node does not lead the partition any more. Ignored if it was elected again at a higher epoch since.</summary>
    public void Resign(int partition, int leaderEpoch)
    {
        lock (_gate)
        {
            if (_led.TryGetValue(partition, out var former) && former.Epoch <= leaderEpoch)
            {
                former.Shard.Resign();
                _led.Remove(partition);
            }
        }
    }

    /// <summary>Runs an operation on a partition's shard.</summary>
    /// <exception cref="CoordinatorException">By the task.</exception>
    public Task<TResponse> SubmitAsync<TResponse>(int partition, Func<TShard, Reply<TResponse>, CoordinatorResult<TRecord>> operation)
    {
        lock (_gate)
        {
            return _led.TryGetValue(partition, out var led)
                ? led.Shard.SubmitAsync(operation)
                : Task.FromException<TResponse>(new CoordinatorException(CoordinatorError.NotHere));
        }
    }

    private string NameOf(int partition) => $"{topic}-{partition}";
}
