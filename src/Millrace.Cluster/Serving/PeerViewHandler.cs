using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Cluster.Serving;

/// <summary>PeerView: says what this node sees of the cluster.</summary>
internal sealed class PeerViewHandler(Func<PeerViewResponse> view) : IApiHandler<PeerViewRequest, PeerViewResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(PeerViewResponse response, ErrorTally errors) => errors.Add((short)ErrorCode.None);

    public ErrorCode Authorize(RequestContext context, PeerViewRequest request) => ErrorCode.None;

    public PeerViewResponse Refuse(RequestContext context, PeerViewRequest request, ErrorCode error) => new();

    public ValueTask<PeerViewResponse> HandleAsync(RequestContext context, PeerViewRequest request, CancellationToken token) =>
        ValueTask.FromResult(view());
}
