namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Where this broker's answer to a batch is another than Kafka's, and why: docs/compatibility.md has the same list in words.</summary>
internal static class KnownBatchDifferences
{
    private const short UnknownServerError = -1;
    private const short UnsupportedCompression = 76;
    private const short InvalidRecord = 87;

    private static readonly (string Reason, Func<BatchCase, BatchJudgement, BatchJudgement, bool> Applies)[] Known =
    [
        ("Kafka stores what its own consumer cannot read", (_, ours, kafka) => !ours.IsTaken && kafka is { IsTaken: true, Content: BatchJudgement.Unreadable }),
        ("Kafka's decoder throws what its broker has no code for", (_, ours, kafka) => ours.Code is InvalidRecord or UnsupportedCompression && kafka.Code == UnknownServerError),
        ("two faults, of which Kafka looks at the other first", (_, ours, kafka) => !ours.IsTaken && !kafka.IsTaken),
        ("gzip: bytes behind the last member, which Java ignores and Python refuses", Refused("Gzip", "payload: bytes behind", "payload: zeros behind", "payload: doubled", "payload: flipped", "payload: a byte", "payload: cut")),
        ("gzip: reserved flags, which zlib refuses", Refused("Gzip flag", "flag 20", "flag 40", "flag 80")),
        ("lz4: checksum, size or bytes behind the frame, which Java ignores and librdkafka refuses", Refused("Lz4", "content size wrong", "payload: ", "flags", "skippable last", "header: codec")),
        ("snappy: other versions, streams in a row or up to three bytes behind, which only xerial reads", Refused("Snappy", "version", "two streams", "payload: ")),
        ("zstd: a skippable frame that is cut, or stands before a large one; flipped bits that only a decoder of whole frames minds", Refused("Zstd", "skippable first", "payload: cut", "payload: flipped", "payload: a byte")),
        ("offsets that are not consecutive", Refused("", "records: gap", "records: repeated offset", "records: first offset 1", "records: varint beyond 32 bits")),
        ("lengths below -1, and numbers beyond their type, which librdkafka cannot read", Refused("", "length -2", "value -2", "varint beyond", "payload: flipped")),
        ("bytes that are no batch behind one", Refused("", "envelope: bytes behind", "envelope: length")),
        ("the broker's clock, the cleaner's horizon, a producer without an epoch: not a client's to write", Refused("", "header: append time", "header: delete horizon", "header: unused attributes", "header: codec", "header: producer without epoch")),
    ];

    public static string? ReasonFor(BatchCase batch, BatchJudgement ours, BatchJudgement kafka) =>
        Known.FirstOrDefault(known => known.Applies(batch, ours, kafka)).Reason;

    /// <summary>
    /// Kafka takes it too: of zstd kafka-python reads the first frame alone, keys of headers must be UTF-8 for it, which a flipped
    /// bit may have ended, and it puts the largest time in the header above the records' own.
    /// </summary>
    public static bool IsUnreadableForPython(BatchCase batch) =>
        new[] { "two frames", "skippable", "frame without content", "header key no UTF-8", "header: largest time", "payload: flipped" }.Any(part => batch.Name.Contains(part, StringComparison.Ordinal));

    /// <summary>Refused here as an invalid record or time, where the case was made with this encoder and one of these faults.</summary>
    private static Func<BatchCase, BatchJudgement, BatchJudgement, bool> Refused(string encoder, params string[] faults) => (batch, ours, kafka) =>
        !ours.IsTaken && kafka.IsTaken && batch.Name.StartsWith(encoder, StringComparison.Ordinal)
        && faults.Any(fault => batch.Name.Contains(fault, StringComparison.Ordinal));
}
