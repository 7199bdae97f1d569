using Millrace.Cluster.Seat;
using Millrace.Network.Requests;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Cluster.Serving;

/// <summary>FollowMetadata: a long poll for the entries of the metadata log: what they say of the cluster image, or all.</summary>
internal sealed class FollowMetadataHandler(NodeRuntime runtime, LocalSeat seat)
    : IApiHandler<FollowMetadataRequest, FollowMetadataResponse>
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(FollowMetadataResponse response, ErrorTally errors) =>
        errors.Add((short)((FollowOutcome)response.Outcome == FollowOutcome.NotController ? ErrorCode.NotController : ErrorCode.None));

    public ErrorCode Authorize(RequestContext context, FollowMetadataRequest request) => ErrorCode.None;

    public FollowMetadataResponse Refuse(RequestContext context, FollowMetadataRequest request, ErrorCode error) =>
        new() { Outcome = (sbyte)FollowOutcome.NotController };

    public async ValueTask<FollowMetadataResponse> HandleAsync(RequestContext context, FollowMetadataRequest request, CancellationToken token)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Clamp(request.MaxWaitMs, 0, (long)LongestWait.TotalMilliseconds));
        using var patience = new CancellationTokenSource(wait, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        while (await seat.FindAsync(request.ControllerId, token) is { Controller.HasEnded: false } local)
        {
            if (local.Controller.Recent.Read(new LogPlace(request.NextTerm, request.NextIndex), request.Whole, request.MaxBytes) is not { } part)
            {
                return new FollowMetadataResponse { Outcome = (sbyte)FollowOutcome.TooFarBack };
            }

            if (part.Steps.Count > 0 || patience.IsCancellationRequested)
            {
                return Respond(part);
            }

            try
            {
                await part.More.OrCancelled(either.Token);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // Nothing has happened meanwhile, which is worth telling: the controller is there.
            }
        }

        return Refuse(context, request, ErrorCode.NotController);
    }

    private static FollowMetadataResponse Respond(Controller.Log.RecentPart part) => new()
    {
        Entries =
        [
            .. part.Steps.Select(step => new FollowMetadataResponse.Entry
            {
                Term = step.Place.Term,
                Index = step.Place.Index,
                SealId = step.Kind == LogStepKind.Seal ? step.PutId : Guid.Empty,
                Records = step.Payload,
            }),
        ],
        NextTerm = part.Next.Term,
        NextIndex = part.Next.Index,
    };
}
