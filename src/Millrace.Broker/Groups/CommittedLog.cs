using System.Runtime.CompilerServices;
using Millrace.Coordination.Shards;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Groups;

/// <summary>What is committed of a coordinator's partition, read while another node leads it.</summary>
internal sealed class CommittedLog(IStreamStore streams, StreamId stream) : IPartitionLoader
{
    public async IAsyncEnumerable<LoadedRecords> ReadAsync(long offset, [EnumeratorCancellation] CancellationToken token)
    {
        var keyed = new List<EncodedRecord>();
        await using var reads = streams.ReadCommittedAsync(stream, offset, token).GetAsyncEnumerator(token);
        while (await NextAsync(reads))
        {
            using var read = reads.Current;
            foreach (var part in CoordinatorRecords.In(read, keyed))
            {
                yield return part;
            }
        }
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<StreamRead> reads)
    {
        try
        {
            return await reads.MoveNextAsync();
        }
        catch (StreamException failure)
        {
            throw new CoordinatorException(CoordinatorError.Unavailable, failure.Message, failure);
        }
    }
}
