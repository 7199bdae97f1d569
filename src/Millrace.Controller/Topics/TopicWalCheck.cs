using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Topics;

/// <summary>
/// Whether a topic can have the WAL that it asks for: at all brokers that live, since any may lead it. One that had it in another WAL without a word would
/// deceive whoever asks for records that outlive a machine, or for fast ones.
/// </summary>
internal static class TopicWalCheck
{
    /// <returns>Why it cannot; null if it can, or if that is no such wish.</returns>
    public static string? Check(MetadataImage cluster, string config, string? value)
    {
        if (config != TopicConfigs.Wal || WalKindName.Find(value) is not { } wanted)
        {
            return null;
        }

        string[] without = [.. cluster.LiveNodesWithout((byte)wanted).Select(node => $"{node.Id}")];
        return without.Length == 0 ? null
            : $"{config}={value}: there is no such WAL at broker{(without.Length == 1 ? "" : "s")} {string.Join(", ", without)}. Start each with one more, "
            + $"behind its first: --wal FIRST --wal {(wanted == WalKind.Object ? value : $"{value}:///PATH")}.";
    }
}
