using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>CreateTopics (key 19), v2–7.</summary>
/// <remarks>v4: -1 stands for the defaults. v5: answers partitions, replicas and configs. v7: answers the topic id.</remarks>
internal sealed class CreateTopicsHandler(ControllerDeeds deeds)
    : IApiHandler<CreateTopicsRequest, CreateTopicsResponse>
{
    public static VersionRange Versions => new(2, 7);

    public void ReportErrors(CreateTopicsResponse response, ErrorTally errors)
    {
        foreach (var topic in response.Topics)
        {
            errors.Add(topic.ErrorCode);
        }
    }

    public ErrorCode Authorize(RequestContext context, CreateTopicsRequest request) =>
        request.Topics.All(topic => context.Access.MayCreate(topic.Name)) ? ErrorCode.None : ErrorCode.TopicAuthorizationFailed;

    public CreateTopicsResponse Refuse(RequestContext context, CreateTopicsRequest request, ErrorCode error) =>
        new()
        {
            Topics = [.. request.Topics.Select(topic => new CreateTopicsResponse.CreatableTopicResult { Name = topic.Name, ErrorCode = (short)error })],
        };

    public async ValueTask<CreateTopicsResponse> HandleAsync(RequestContext context, CreateTopicsRequest request, CancellationToken token)
    {
        var response = await deeds.DoAsync<CreateTopicsRequest, CreateTopicsResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
        deeds.TellCreated(context, request, response);
        return response;
    }
}
