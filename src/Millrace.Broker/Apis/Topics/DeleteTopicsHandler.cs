using Millrace.Network.Access;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>DeleteTopics (key 20), v1–6.</summary>
/// <remarks>v5: messages. v6: topics by name or by id. Below v6 only by name.</remarks>
internal sealed class DeleteTopicsHandler(BrokerIdentity identity, IMetadataFeed feed, ControllerDeeds deeds)
    : IApiHandler<DeleteTopicsRequest, DeleteTopicsResponse>
{
    private const short FirstWithTopicIds = 6;

    public static VersionRange Versions => new(1, 6);

    public void ReportErrors(DeleteTopicsResponse response, ErrorTally errors) =>
        errors.Add(response.Responses.Select(topic => topic.ErrorCode));

    public ErrorCode Authorize(RequestContext context, DeleteTopicsRequest request) =>
        context.Access.Topics(
            Operation.Delete, TopicsOf(context, request).SelectMany(topic => new[] { topic.Name, feed.Image.NameOf(topic.TopicId) }).OfType<string>());

    public DeleteTopicsResponse Refuse(RequestContext context, DeleteTopicsRequest request, ErrorCode error) => new()
    {
        Responses =
        [
            .. TopicsOf(context, request).Select(topic => new DeleteTopicsResponse.DeletableTopicResult
            {
                Name = topic.Name,
                TopicId = topic.TopicId,
                ErrorCode = (short)error,
            }),
        ],
    };

    public async ValueTask<DeleteTopicsResponse> HandleAsync(RequestContext context, DeleteTopicsRequest request, CancellationToken token)
    {
        if (!identity.Configs.Broker(feed.Image, BrokerConfigs.DeleteTopicEnable).AsBoolean())
        {
            return Refuse(context, request, context.ApiVersion < 3 ? ErrorCode.InvalidRequest : ErrorCode.TopicDeletionDisabled);
        }

        var deletion = new DeleteTopicsRequest { Topics = TopicsOf(context, request), TimeoutMs = request.TimeoutMs };
        var response = await deeds.DoAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            deletion, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
        deeds.TellDeleted(context, response);
        return response;
    }

    private static IReadOnlyList<DeleteTopicsRequest.DeleteTopicState> TopicsOf(RequestContext context, DeleteTopicsRequest request) =>
        context.ApiVersion >= FirstWithTopicIds
            ? request.Topics
            : [.. request.TopicNames.Select(name => new DeleteTopicsRequest.DeleteTopicState { Name = name })];
}
