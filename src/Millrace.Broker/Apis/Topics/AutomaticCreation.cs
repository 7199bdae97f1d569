using Millrace.Network.Requests;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Topics;

/// <summary>Topics that a request other than CreateTopics brings about. It is answered by the image as it is afterwards, whatever became of that.</summary>
internal sealed class AutomaticCreation(NodeRuntime runtime, IControllerChannel controller, DeedMessages deeds)
{
    // Less than any client waits; the topics go on being created, and the next question finds them.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>Returns when they are there, and in any case before the client has lost its patience: it asks again.</summary>
    public async ValueTask TryAsync(RequestContext context, IReadOnlyList<CreateTopicsRequest.CreatableTopic> topics, CancellationToken token)
    {
        using var deadline = new RequestDeadline(runtime, Longest, token);
        try
        {
            var creation = new CreateTopicsRequest { Topics = topics };
            deeds.Created(context, creation, await controller.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(creation, deadline.Token));
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            // Not in time.
        }
        catch (ControllerException)
        {
            // There is no controller for the moment, or it has too much to do.
        }
    }
}
