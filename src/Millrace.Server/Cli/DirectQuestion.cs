using System.Net.Sockets;
using Confluent.Kafka;
using Millrace.Protocol.Messages;
using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>What brokers are asked in messages that the client library does not have, over a connection of its own.</summary>
/// <remarks>It sees plain connections only, as <see cref="Diagnosis.BrokerInquiry"/> does.</remarks>
internal static class DirectQuestion
{
    /// <summary>Asks the addresses in turn, until one answers.</summary>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="request">The question, put in its highest version.</param>
    /// <param name="limit">For all of them together.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>Null where none serves it: connections are encrypted, or it is a broker of another kind.</returns>
    /// <exception cref="KafkaException">The time is up.</exception>
    public static Task<TResponse?> AskAsync<TRequest, TResponse>(ClientConfig config, TRequest request, TimeSpan limit, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        AskAsync<TRequest, TResponse>(BootstrapAddress.ParseAll(config.BootstrapServers), config, request, limit, token);

    /// <summary>As above, of these addresses.</summary>
    public static async Task<TResponse?> AskAsync<TRequest, TResponse>(
        IReadOnlyList<HostPort> addresses, ClientConfig config, TRequest request, TimeSpan limit, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        if (config.SecurityProtocol is not (null or SecurityProtocol.Plaintext))
        {
            return null;
        }

        using var patience = new CancellationTokenSource(limit, CommandClock.Time);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        foreach (var address in addresses)
        {
            try
            {
                await using var connection = await BrokerConnections.OpenAsync(address.Host, address.Port, config.ClientId, done.Token);
                return await connection.CallAsync<TRequest, TResponse>(request, done.Token);
            }
            catch (Exception unserved) when (unserved is SocketException or IOException)
            {
                // The next may be one that is there, or knows it.
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested && !token.IsCancellationRequested)
            {
                throw new KafkaException(ErrorCode.Local_TimedOut);
            }
        }

        return null;
    }
}
