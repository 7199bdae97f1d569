using Confluent.Kafka;
using Millrace.Metadata;

namespace Millrace.Server.Cli.Brokers;

/// <summary>What the controller tells of the scaler.</summary>
internal static class ScalerView
{
    private static readonly string[] Outcomes = ["done", "failed", "timed out", "not started"];

    /// <exception cref="KafkaException">Nobody answers in time, or there is no controller.</exception>
    /// <exception cref="CommandFailedException">No broker takes the question.</exception>
    public static async Task<DescribeScalerResponse> AskAsync(ClientConfig config, TimeSpan limit, CancellationToken token)
    {
        // The broker is to answer before its client has lost its patience.
        var request = new DescribeScalerRequest { TimeoutMs = (int)(limit * 0.8).TotalMilliseconds };
        var answer = await DirectQuestion.AskAsync<DescribeScalerRequest, DescribeScalerResponse>(config, request, limit, token)
            ?? throw new CommandFailedException(
                ExitCode.Failed, "No broker takes the question, or connections are encrypted: by those it cannot be asked.");
        return answer.ErrorCode == 0 ? answer : throw new KafkaException((ErrorCode)answer.ErrorCode);
    }

    /// <summary>What the command was told, in words for people.</summary>
    public static string Told(DescribeScalerResponse.HookRun run) =>
        $"{run.Current} → {run.Desired}{(run.Victim < 0 ? "" : $", without broker {run.Victim}")}";

    /// <summary>How it has ended, in words for people.</summary>
    public static string Ended(DescribeScalerResponse.HookRun run) =>
        run.Outcome < 0
            ? $"runs (attempt {run.Attempt})"
            : $"{Outcomes.ElementAtOrDefault(run.Outcome) ?? "other"} after {run.TookMs} ms (attempt {run.Attempt})"
                + (run.Words.Length > 0 ? $": {run.Words}" : "");
}
