using System.CommandLine;
using Confluent.Kafka;
using Millrace.Metadata;

namespace Millrace.Server.Cli.Brokers;

/// <summary>What the brokers of a cluster have had to do over their last windows, each asked by itself.</summary>
/// <param name="Brokers">Those that live; without a load where its first window is not over, or it could not be asked.</param>
/// <param name="Silent">Those of them that could not be asked.</param>
internal sealed record ClusterLoads(IReadOnlyList<(BrokerView Broker, DescribeLoadResponse.MeasuredLoad? Load)> Brokers, IReadOnlyList<int> Silent)
{
    /// <summary>What is not known; null if all is.</summary>
    public string? Untold => Silent.Count == 0 ? null
        : $"Nothing is known of broker {string.Join(", ", Silent)}: it does not answer, or connections are encrypted.";

    /// <param name="client">How the command reaches the cluster.</param>
    /// <param name="result">The command line.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="KafkaException">No broker answers in time, or one refuses to tell.</exception>
    public static async Task<ClusterLoads> AskAsync(ClientOptions client, ParseResult result, CancellationToken token)
    {
        // For each look as long as for a command: who looks for long does not use the time up.
        var began = CommandClock.Time.GetTimestamp();
        var patience = client.Patience(result);
        var config = client.Config(result);
        using var admin = client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, config, () => Left(patience, began), token);

        // A broker that is silent must not use up the time that there is for all.
        var answers = await EachBroker.AskAsync<DescribeLoadRequest, DescribeLoadResponse>(
            cluster, config, new DescribeLoadRequest(), Left(patience, began) / 2, token);
        if (answers.FirstOrDefault(one => one.Answer is { ErrorCode: not 0 }).Answer is { } refusal)
        {
            throw new KafkaException((ErrorCode)refusal.ErrorCode);
        }

        // At an address that is another's by now, that one answers.
        var told = answers.Select(one => (one.Broker, Answer: one.Answer?.AnsweredBy == one.Broker.Id ? one.Answer : null)).ToList();
        return new ClusterLoads(
            [.. told.Select(one => (one.Broker, one.Answer?.Load))], [.. told.Where(one => one.Answer is null).Select(one => one.Broker.Id)]);
    }

    private static TimeSpan Left(TimeSpan patience, long began)
    {
        var left = patience - CommandClock.Time.GetElapsedTime(began);
        return left > ClientOptions.LeastTimeout ? left : ClientOptions.LeastTimeout;
    }
}
