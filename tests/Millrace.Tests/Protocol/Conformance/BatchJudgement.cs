namespace Millrace.Tests.Protocol.Conformance;

/// <summary>What a broker answers to a batch, and what its consumers then read.</summary>
/// <param name="Code">Kafka's error code.</param>
/// <param name="Content">A digest of the records; <c>unreadable</c> if a consumer fails at them; <c>-</c> if the batch was refused.</param>
internal readonly record struct BatchJudgement(short Code, string Content)
{
    public const string Unreadable = "unreadable";

    public bool IsTaken => Code == 0;
}
