using System.Globalization;

namespace Millrace.Server.Options;

/// <summary>The settings that AutoMQ adds to Kafka's: what they mean here, where they mean something.</summary>
/// <remarks>Names as of AutoMQ 1.7. Those of the store are spelt out, so that a misspelt one is not taken for one without effect.</remarks>
internal static class AutoMqSettings
{
    private const string Enabled = "elasticstream.enable";
    private const string DataBuckets = "s3.data.buckets";
    private const string WalPath = "s3.wal.path";

    /// <summary>Sizes and times that there are here, too; -1 leaves them to the product in both.</summary>
    private static readonly SortedDictionary<string, string> Numbers = new(StringComparer.Ordinal)
    {
        ["s3.block.cache.size"] = ServerSettings.BlockCache,
        ["s3.wal.cache.size"] = ServerSettings.NotUploadedMax,
        ["s3.wal.upload.interval.ms"] = ServerSettings.UploadInterval,
        ["s3.wal.upload.threshold"] = ServerSettings.UploadBytes,
    };

    /// <summary>What has a meaning here, as <see cref="Translate"/> gives it, and the switch for all of them.</summary>
    public static IReadOnlySet<string> Understood { get; } =
        new SortedSet<string>([Enabled, DataBuckets, WalPath, .. Numbers.Keys], StringComparer.Ordinal);

    /// <summary>What stands for what.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Meanings =>
        [KeyValuePair.Create(DataBuckets, ServerSettings.Store), KeyValuePair.Create(WalPath, ServerSettings.Wal), .. Numbers];

    /// <summary>The rest.</summary>
    public static HarmlessGroup Harmless { get; } = new(
        "AutoMQ's settings for what needs no tuning here, or is not there yet: balancing, quotas, table topics, routing between zones.",
        "autobalancer.", "automq.", "broker.quota.", "cluster.quota.", "elasticstream.endpoint", "s3.controller.request.retry.base.delay.ms",
        "s3.controller.request.retry.max.count", "s3.endpoint", "s3.max.stream.num.per.stream.set.object", "s3.max.stream.object.num.per.commit",
        "s3.metrics.exporter.prom.host", "s3.metrics.exporter.prom.port", "s3.mock.enable", "s3.network.baseline.bandwidth",
        "s3.network.bandwidth.mode", "s3.network.refill.period.ms", "s3.object.block.size", "s3.object.delete.retention.minutes",
        "s3.object.log.enable", "s3.object.part.size", "s3.ops.bucket", "s3.ops.buckets", "s3.path.style", "s3.region",
        "s3.stream.allocator.policy", "s3.stream.object.compaction.interval.minutes", "s3.stream.object.compaction.max.size.bytes",
        "s3.stream.object.split.size", "s3.stream.set.object.compaction.", "s3.telemetry.", "s3.wal.capacity", "s3.wal.iops", "s3.wal.thread");

    public static bool Contains(string key) => Understood.Contains(key) || Harmless.Holds(key);

    /// <param name="written">All entries, as they were written.</param>
    /// <param name="problems">Gets what cannot be understood.</param>
    public static IReadOnlyList<Translation> Translate(IReadOnlyDictionary<string, string> written, List<string> problems)
    {
        var found = new List<Translation>();
        if (written.TryGetValue(Enabled, out var enabled) && enabled.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            // AutoMQ then keeps its logs in folders, as Kafka does, and reads none of the others.
            return found;
        }

        var millrace = written.Keys.Where(key => key.StartsWith("millrace.", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        Try(DataBuckets, ServerSettings.Store, AutoMqUri.Store);
        Try(WalPath, ServerSettings.Wal, AutoMqUri.Wal);
        foreach (var (from, to) in Numbers)
        {
            Try(from, to, text => text.StartsWith('-') ? null : new Translation(from, to, text));
        }

        return found;

        void Try(string from, string to, Func<string, Translation?> translate)
        {
            if (millrace.Contains(to) || !written.TryGetValue(from, out var text) || text.Length == 0)
            {
                return;
            }

            try
            {
                if (translate(text) is { } translation)
                {
                    found.Add(translation);
                }
            }
            catch (FormatException refusal)
            {
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{from}: {refusal.Message}. Or write {to}, which counts before it."));
            }
        }
    }
}
