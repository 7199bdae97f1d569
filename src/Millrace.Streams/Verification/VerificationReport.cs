namespace Millrace.Streams.Verification;

/// <summary>What a verification read and found.</summary>
/// <param name="Streams">Streams looked at.</param>
/// <param name="Objects">Data objects read.</param>
/// <param name="Records">Records whose bytes were read and hashed.</param>
/// <param name="Bytes">Their payload bytes.</param>
/// <param name="Problems">One sentence for each thing that is not as it should be; empty if the bucket is proved whole.</param>
public sealed record VerificationReport(int Streams, int Objects, long Records, long Bytes, IReadOnlyList<string> Problems)
{
    public bool IsWhole => Problems.Count == 0;
}
