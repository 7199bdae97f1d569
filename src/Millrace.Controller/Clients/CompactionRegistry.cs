using Millrace.Controller.Messages;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Clients;

/// <summary>The registry of an incarnation's object compaction: asks the controller by the channel.</summary>
/// <param name="channel">The way to the controller.</param>
/// <param name="self">In whose name.</param>
public sealed class CompactionRegistry(IControllerChannel channel, NodeIncarnation self) : ICompactionRegistry
{
    public async ValueTask<IReadOnlyList<CompactionSource>> TakeAsync(CancellationToken token)
    {
        var request = new TakeCompactionRequest { NodeId = self.Node.Value, NodeEpoch = self.Epoch.Value };
        return CompactionForms.SourcesOf(await channel.AskAsync<TakeCompactionRequest, TakeCompactionResponse>(request, token));
    }

    public async ValueTask<IReadOnlyList<StreamHolding>> GetHoldingsAsync(
        IReadOnlyCollection<ObjectId> objects, IReadOnlyList<StreamId> streams, CancellationToken token)
    {
        var holdings = new List<StreamHolding>(streams.Count);
        foreach (var some in streams.Chunk(CompactionForms.MostStreams))
        {
            var request = new ListHoldingsRequest
            {
                NodeId = self.Node.Value,
                NodeEpoch = self.Epoch.Value,
                Objects = [.. objects.Select(id => id.Value)],
                Streams = [.. some.Select(stream => stream.Value)],
            };
            var response = await channel.AskAsync<ListHoldingsRequest, ListHoldingsResponse>(request, token);
            holdings.AddRange(response.Holdings.Select(CompactionForms.ToHolding));
        }

        return holdings;
    }

    public async ValueTask<int> CommitAsync(CompactionCommit commit, CancellationToken token) =>
        (await channel.AskAsync<CommitCompactionRequest, CommitCompactionResponse>(CompactionForms.ToMessage(commit), token)).Replaced;
}
