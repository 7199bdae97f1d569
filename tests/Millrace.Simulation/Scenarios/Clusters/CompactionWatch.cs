using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>Counts what is asked of a controller about object compaction, and what comes of it.</summary>
internal sealed class CompactionWatch(SimulationKernel kernel, IControllerLink link) : IControllerLink
{
    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answer = await link.CallAsync<TRequest, TResponse>(request, known, token);
        switch (answer.Response)
        {
            case TakeCompactionResponse { Sources.Count: > 0 }:
                kernel.Coverage.Count("compactions: begun");
                break;
            case StreamOpsResponse operations:
                kernel.Coverage.Count("compactions: asked where ranges went", operations.RangePages.Count);
                break;
            case CommitCompactionResponse committed:
                kernel.Coverage.Count(committed.Replaced > 0 ? "compactions: committed" : "compactions: void, or asked again");
                kernel.Coverage.Count("compactions: ranges that gave way", committed.Replaced);
                break;
        }

        return answer;
    }
}
