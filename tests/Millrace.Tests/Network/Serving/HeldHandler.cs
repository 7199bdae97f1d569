using System.Collections.Concurrent;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Tests.Network.Serving;

/// <summary>Answers heartbeats when the test lets it; the generation in the request names the call.</summary>
internal sealed class HeldHandler(bool lettingNextBegin) : IApiHandler<HeartbeatRequest, HeartbeatResponse>
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _releases = new();

    public static VersionRange Versions => new(0, 4);

    public ConcurrentQueue<int> Begun { get; } = new();

    public ConcurrentQueue<int> Cancelled { get; } = new();

    /// <summary>What a call does with its context before it waits.</summary>
    public Action<RequestContext>? OnBegin { get; set; }

    public void Release(int generation) => ReleaseOf(generation).TrySetResult();

    public void ReportErrors(HeartbeatResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, HeartbeatRequest request) => context.Access.Group(Operation.Read, request.GroupId);

    public HeartbeatResponse Refuse(RequestContext context, HeartbeatRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<HeartbeatResponse> HandleAsync(RequestContext context, HeartbeatRequest request, CancellationToken token)
    {
        Begun.Enqueue(request.GenerationId);
        OnBegin?.Invoke(context);
        if (lettingNextBegin)
        {
            context.AllowNext();
        }

        try
        {
            await ReleaseOf(request.GenerationId).Task.WaitAsync(token);
        }
        catch (OperationCanceledException)
        {
            Cancelled.Enqueue(request.GenerationId);
            throw;
        }

        return new HeartbeatResponse { ThrottleTimeMs = request.GenerationId };
    }

    private TaskCompletionSource ReleaseOf(int generation) =>
        _releases.GetOrAdd(generation, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
