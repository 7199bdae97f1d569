using Confluent.Kafka;
using Millrace.Protocol.Messages;
using Millrace.Server.Options;

namespace Millrace.Server.Cli.Brokers;

/// <summary>Questions that each broker of a cluster answers for itself.</summary>
internal static class EachBroker
{
    /// <param name="cluster">The brokers: those that live are asked.</param>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="request">The question.</param>
    /// <param name="limit">For each of them, all at once.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>The answers by broker; null where one does not answer, or does not know the question.</returns>
    public static async Task<IReadOnlyList<(BrokerView Broker, TResponse? Answer)>> AskAsync<TRequest, TResponse>(
        ClusterView cluster, ClientConfig config, TRequest request, TimeSpan limit, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var live = cluster.Brokers.Where(broker => broker.State == BrokerView.Live).ToList();
        var answers = await Task.WhenAll(live.Select(broker => AskAsync<TRequest, TResponse>(broker, config, request, limit, token)));
        return [.. live.Zip(answers)];
    }

    private static async Task<TResponse?> AskAsync<TRequest, TResponse>(
        BrokerView broker, ClientConfig config, TRequest request, TimeSpan limit, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        if (broker is not { Host: { } host, Port: { } port })
        {
            return null;
        }

        try
        {
            return await DirectQuestion.AskAsync<TRequest, TResponse>([new HostPort(host, port)], config, request, limit, token);
        }
        catch (KafkaException late) when (late.Error.Code == ErrorCode.Local_TimedOut)
        {
            return null;
        }
    }
}
