using Millrace.Coordination.Groups;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;

namespace Millrace.Tests.Broker.Apis.Groups;

/// <summary>A controller that creates the topic of the offsets, and nothing else.</summary>
internal sealed class GroupTopicController(GroupBroker broker) : IControllerChannel
{
    public static readonly Guid TopicId = new("00000000-0000-0000-0000-00000000000b");

    public CreateTopicsRequest? Asked { get; private set; }

    /// <summary>The streams of its partitions; the same for every broker on one registry.</summary>
    public List<StreamId> Streams { get; } = [];

    public async ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        request is CreateTopicsRequest creation
            ? (TResponse)(object)await CreateTopicsAsync(creation, token)
            : throw new InvalidOperationException("Groups ask the controller for their topic only");

    private async ValueTask<CreateTopicsResponse> CreateTopicsAsync(CreateTopicsRequest request, CancellationToken token)
    {
        Asked = request;
        for (var i = 0; i < request.Topics[0].NumPartitions; i++)
        {
            Streams.Add(await broker.Node.Registry.CreateAsync(broker.Node.Incarnation, token));
        }

        Lead(Streams);
        return new CreateTopicsResponse { Topics = [new() { Name = GroupCoordinator.TopicName }] };
    }

    /// <summary>The topic exists, and the broker leads all of it.</summary>
    public void Lead(IReadOnlyList<StreamId> streams) => broker.AddTopic(GroupCoordinator.TopicName, TopicId, streams, broker.Identity.Node);
}
