using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>CreatePartitions (key 37), v0–3.</summary>
internal sealed class CreatePartitionsHandler(ControllerDeeds deeds)
    : IApiHandler<CreatePartitionsRequest, CreatePartitionsResponse>
{
    public static VersionRange Versions => new(0, 3);

    public void ReportErrors(CreatePartitionsResponse response, ErrorTally errors) =>
        errors.Add(response.Results.Select(result => result.ErrorCode));

    public ErrorCode Authorize(RequestContext context, CreatePartitionsRequest request) =>
        context.Access.Topics(Operation.Alter, request.Topics.Select(topic => topic.Name));

    public CreatePartitionsResponse Refuse(RequestContext context, CreatePartitionsRequest request, ErrorCode error) =>
        new()
        {
            Results =
            [
                .. request.Topics.Select(topic => new CreatePartitionsResponse.CreatePartitionsTopicResult { Name = topic.Name, ErrorCode = (short)error }),
            ],
        };

    public async ValueTask<CreatePartitionsResponse> HandleAsync(RequestContext context, CreatePartitionsRequest request, CancellationToken token)
    {
        var response = await deeds.DoAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
        deeds.TellGrown(context, request, response);
        return response;
    }
}
