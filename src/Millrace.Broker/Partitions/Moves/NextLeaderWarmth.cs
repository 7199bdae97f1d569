using Microsoft.Extensions.Logging;
using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>
/// Waits until the next leader of a coordinator's partition has read what there is of it: from its stop on, nobody answers its groups before that is done.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class NextLeaderWarmth(NodeRuntime runtime, IStreamStore store, IMetadataFeed feed, BrokerIdentity self)
{
    // A million committed offsets are read in a second or two.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // A node that stops has five seconds, as a rule, for all that it leads.
    private static readonly TimeSpan PatienceOfLeaving = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<NextLeaderWarmth>();

    // So many are read at once: nobody is waited for who has to.
    private readonly int _fewRecords = self.Configs.Broker(feed.Image, BrokerConfigs.OffsetsSpareRecords).AsInt();

    /// <summary>Whether it is a coordinator's: of others there is nothing to read beforehand.</summary>
    public static bool IsFor(Partition partition) => partition.Id.Topic == InternalTopics.ConsumerOffsets;

    /// <summary>Ends when it is so, when the partition does not move any more, or when it has taken too long.</summary>
    public async Task WaitAsync(Partition partition, CancellationToken token)
    {
        if (partition.Appended is not { } goal || goal.EndOffset - partition.LogStartOffset < _fewRecords)
        {
            return;
        }

        var longest = feed.Image.Nodes.TryGetValue(self.Node, out var known) && known.IsLeaving ? PatienceOfLeaving : Patience;
        using var patience = new CancellationTokenSource(longest, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, patience.Token);
        try
        {
            await store.UploadAsync([goal], either.Token);
            await feed.WaitAsync(image => IsOver(image, partition, goal.EndOffset), either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            PartitionMessages.NextLeaderIsCold(_logger, partition.Id, longest.TotalSeconds);
        }
        catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
        {
            // Who ended says so, and what could not be uploaded now is when the partition stops.
        }
    }

    private static bool IsOver(MetadataImage image, Partition partition, long end) =>
        image.FindPartition(partition.Id.TopicId, partition.Id.Partition) is not { Moves: true } known
        || known.LeaderEpoch != partition.LeaderEpoch || known.WarmTo >= end;
}
