using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Tests.Network.Serving;

/// <summary>Holds every produce until the test lets all of them go, as a broker does whose store is away.</summary>
internal sealed class ParkedProduceHandler : IApiHandler<ProduceRequest, ProduceResponse>
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _parked;

    public static VersionRange Versions => new(0, 13);

    public int Parked => Volatile.Read(ref _parked);

    public void Release() => _released.TrySetResult();

    public void ReportErrors(ProduceResponse response, ErrorTally errors) => errors.Add(0);

    public ErrorCode Authorize(RequestContext context, ProduceRequest request) => ErrorCode.None;

    public ProduceResponse Refuse(RequestContext context, ProduceRequest request, ErrorCode error) => new();

    public async ValueTask<ProduceResponse> HandleAsync(RequestContext context, ProduceRequest request, CancellationToken token)
    {
        Interlocked.Increment(ref _parked);
        await _released.Task.WaitAsync(token);
        return new ProduceResponse();
    }
}
