using System.Globalization;
using Confluent.Kafka;
using Millrace.Metadata;

namespace Millrace.Server.Cli.Brokers;

/// <summary>What the controller tells of the balancer.</summary>
internal static class BalancerView
{
    private static readonly string[] Goals = ["fill", "overload", "load", "count"];

    /// <exception cref="KafkaException">Nobody answers in time, or there is no controller.</exception>
    /// <exception cref="CommandFailedException">No broker takes the question.</exception>
    public static async Task<DescribeBalancerResponse> AskAsync(ClientConfig config, bool preview, TimeSpan limit, CancellationToken token)
    {
        // The broker is to answer before its client has lost its patience.
        var request = new DescribeBalancerRequest { TimeoutMs = (int)(limit * 0.8).TotalMilliseconds, Preview = preview };
        var answer = await DirectQuestion.AskAsync<DescribeBalancerRequest, DescribeBalancerResponse>(config, request, limit, token)
            ?? throw new CommandFailedException(
                ExitCode.Failed, "No broker takes the question, or connections are encrypted: by those it cannot be asked.");
        return answer.ErrorCode == 0 ? answer : throw new KafkaException((ErrorCode)answer.ErrorCode);
    }

    /// <summary>What a move is for, in a word.</summary>
    public static string GoalOf(DescribeBalancerResponse.Move move) => Goals.ElementAtOrDefault(move.Goal) ?? "other";

    /// <summary>What a move changes at one of its brokers, in words for people.</summary>
    public static string Change(DescribeBalancerResponse.Move move, double before, double after) => GoalOf(move) switch
    {
        "overload" => string.Create(CultureInfo.InvariantCulture, $"{before:P0} → {after:P0} of its processors"),
        "load" => string.Create(CultureInfo.InvariantCulture, $"{before:0.00} → {after:0.00} of the mean load"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{before:0} → {after:0} partitions"),
    };
}
