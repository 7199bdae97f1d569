using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Topics;

/// <summary>
/// What clients ask for and the controller does: has it done, and tells the log what they have changed in the cluster's shape, and which of them. What
/// was refused, or only validated, is no deed.
/// </summary>
/// <param name="runtime">Whose time counts.</param>
/// <param name="controller">Does it.</param>
internal sealed class ControllerDeeds(NodeRuntime runtime, IControllerChannel controller)
{
    // Less than any client waits; the topics go on being created, and the next question finds them.
    private static readonly TimeSpan LongestCreation = TimeSpan.FromSeconds(10);

    // Of thousands of partitions a line of the log names the first.
    private const int MostListed = 20;

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ControllerDeeds>();

    /// <summary>Has a deed done, and waits for that as <see cref="RequestDeadline"/> says.</summary>
    /// <param name="request">What is to be done.</param>
    /// <param name="limit">The client's time-out; <see cref="RequestDeadline.LeastPatience"/> where its request carries none.</param>
    /// <param name="refuse">Answers the whole with an error, where the time is up or the controller refuses.</param>
    /// <param name="token">The request's own.</param>
    public async ValueTask<TResponse> DoAsync<TRequest, TResponse>(
        TRequest request, TimeSpan limit, Func<ErrorCode, TResponse> refuse, CancellationToken token)
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

    /// <summary>
    /// Has topics created that a request other than CreateTopics brings about. Returns when they are there, and in any case before the client has lost its
    /// patience: the request is answered by the image as it is afterwards, and its client asks again.
    /// </summary>
    public async ValueTask CreateMissingAsync(
        RequestContext context, IReadOnlyList<CreateTopicsRequest.CreatableTopic> topics, CancellationToken token)
    {
        var request = new CreateTopicsRequest { Topics = topics };
        var nothing = new CreateTopicsResponse();
        TellCreated(
            context, request, await DoAsync<CreateTopicsRequest, CreateTopicsResponse>(request, LongestCreation, _ => nothing, token));
    }

    public void TellCreated(RequestContext context, CreateTopicsRequest request, CreateTopicsResponse response)
    {
        foreach (var topic in response.Topics.Where(topic => !request.ValidateOnly && topic.ErrorCode == 0))
        {
            var configs = request.Topics.First(wanted => wanted.Name == topic.Name).Configs;
            DeedMessages.TopicCreated(
                _logger, topic.Name, topic.NumPartitions, Listed(configs.Select(config => (config.Name, config.Value))), Who(context));
        }
    }

    public void TellDeleted(RequestContext context, DeleteTopicsResponse response)
    {
        foreach (var topic in response.Responses.Where(topic => topic.ErrorCode == 0))
        {
            DeedMessages.TopicDeleted(_logger, topic.Name, topic.TopicId, Who(context));
        }
    }

    public void TellGrown(RequestContext context, CreatePartitionsRequest request, CreatePartitionsResponse response)
    {
        foreach (var topic in response.Results.Where(topic => !request.ValidateOnly && topic.ErrorCode == 0))
        {
            DeedMessages.TopicGrown(_logger, topic.Name, request.Topics.First(wanted => wanted.Name == topic.Name).Count, Who(context));
        }
    }

    public void TellChanged(RequestContext context, IncrementalAlterConfigsRequest request, IncrementalAlterConfigsResponse response)
    {
        foreach (var resource in response.Responses.Where(resource => !request.ValidateOnly && resource.ErrorCode == 0))
        {
            var changes = request.Resources
                .First(wanted => wanted.ResourceType == resource.ResourceType && wanted.ResourceName == resource.ResourceName).Configs
                .Select(Shown);
            DeedMessages.ConfigChanged(_logger, Named(resource.ResourceType, resource.ResourceName), string.Join(", ", changes), Who(context));
        }
    }

    public void TellReplaced(RequestContext context, AlterConfigsRequest request, AlterConfigsResponse response)
    {
        foreach (var resource in response.Responses.Where(resource => !request.ValidateOnly && resource.ErrorCode == 0))
        {
            var configs = request.Resources
                .First(wanted => wanted.ResourceType == resource.ResourceType && wanted.ResourceName == resource.ResourceName).Configs;
            DeedMessages.ConfigReplaced(
                _logger, Named(resource.ResourceType, resource.ResourceName), Listed(configs.Select(config => (config.Name, config.Value))), Who(context));
        }
    }

    public void TellReassigned(
        RequestContext context, AlterPartitionReassignmentsRequest request, AlterPartitionReassignmentsResponse response)
    {
        foreach (var (topic, wanted) in response.Responses.Zip(request.Topics))
        {
            var done = wanted.Partitions.Zip(topic.Partitions).Where(pair => pair.Second.ErrorCode == 0).Select(pair => pair.First).ToArray();
            if (done.Length > 0)
            {
                DeedMessages.Reassigned(_logger, topic.Name, done.Length, string.Join("; ", done.Take(MostListed).Select(Shown)), Who(context));
            }
        }
    }

    public void TellElected(RequestContext context, ElectLeadersResponse response)
    {
        foreach (var topic in response.ReplicaElectionResults)
        {
            var done = topic.PartitionResult.Where(partition => partition.ErrorCode == 0).Select(partition => partition.PartitionId).ToArray();
            if (done.Length > 0)
            {
                DeedMessages.LeadersElected(_logger, topic.Topic, done.Length, string.Join(", ", done.Take(MostListed)), Who(context));
            }
        }
    }

    public void TellRemoved(RequestContext context, UnregisterBrokerRequest request, UnregisterBrokerResponse response)
    {
        if (response.ErrorCode == 0)
        {
            DeedMessages.BrokerRemoved(_logger, request.BrokerId, Who(context));
        }
    }

    private static string Who(RequestContext context) => $"client '{context.ClientId}' at {context.Connection.Remote}";

    // An empty name of a broker stands for all of them.
    private static string Named(sbyte type, string name) =>
        (ConfigResourceType)type == ConfigResourceType.Topic ? $"topic {name}" : name.Length == 0 ? "all brokers" : $"broker {name}";

    private static string Listed(IEnumerable<(string Name, string? Value)> configs)
    {
        var shown = string.Join(", ", configs.Select(config => Shown(config.Name, config.Value)));
        return shown.Length == 0 ? "nothing" : shown;
    }

    private static string Shown(AlterPartitionReassignmentsRequest.ReassignablePartition partition) =>
        partition.Replicas is { } replicas ? $"{partition.PartitionIndex} on {string.Join(",", replicas)}" : $"{partition.PartitionIndex} stays";

    private static string Shown(string name, string? value) => $"{name}={value}";

    private static string Shown(IncrementalAlterConfigsRequest.AlterableConfig config) => (ConfigOperation)config.ConfigOperation switch
    {
        ConfigOperation.Delete => $"{config.Name} is unset",
        ConfigOperation.Append => $"{config.Name}+={config.Value}",
        ConfigOperation.Subtract => $"{config.Name}-={config.Value}",
        _ => Shown(config.Name, config.Value),
    };
}
