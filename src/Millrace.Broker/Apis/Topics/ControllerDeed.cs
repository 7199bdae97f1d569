using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Topics;

/// <summary>What a client asks for and the controller does.</summary>
internal static class ControllerDeed
{
    /// <summary>Has it done, and waits for that as <see cref="RequestDeadline"/> says.</summary>
    /// <param name="controller">Does it.</param>
    /// <param name="runtime">Whose time counts.</param>
    /// <param name="request">What is to be done.</param>
    /// <param name="limit">The client's time-out; <see cref="RequestDeadline.LeastPatience"/> where its request carries none.</param>
    /// <param name="refuse">Answers the whole with an error, where the time is up or the controller refuses.</param>
    /// <param name="token">The request's own.</param>
    public static async ValueTask<TResponse> DoAsync<TRequest, TResponse>(
        this IControllerChannel controller,
        NodeRuntime runtime,
        TRequest request,
        TimeSpan limit,
        Func<ErrorCode, TResponse> refuse,
        CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        using var deadline = new RequestDeadline(runtime, limit, token);
        try
        {
            return await controller.SendAsync<TRequest, TResponse>(request, deadline.Begin());
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return refuse(ErrorCode.RequestTimedOut);
        }
        catch (ControllerException refusal)
        {
            return refuse(KafkaErrorMap.ToErrorCode(refusal.Error));
        }
    }
}
