namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Where this broker's answer to a batch is another than Kafka's, and why: docs/compatibility.md has the same list in words.</summary>
internal static class KnownBatchDifferences
{
    private const short UnknownServerError = -1;
    private const short InvalidRecord = 87;

    private static readonly (string Reason, Func<BatchCase, BatchJudgement, BatchJudgement, bool> Applies)[] Known =
    [
        ("Kafka stores what its own consumer cannot read", (_, ours, kafka) => !ours.IsTaken && kafka is { IsTaken: true, Content: BatchJudgement.Unreadable }),
        ("Kafka's decoder throws what its broker has no code for", (_, ours, kafka) => ours.Code == InvalidRecord && kafka.Code == UnknownServerError),
    ];

    public static string? ReasonFor(BatchCase batch, BatchJudgement ours, BatchJudgement kafka) =>
        Known.FirstOrDefault(known => known.Applies(batch, ours, kafka)).Reason;
}
