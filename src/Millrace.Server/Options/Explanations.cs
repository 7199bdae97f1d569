using Millrace.Metadata.Configs;

namespace Millrace.Server.Options;

/// <summary>Settings that are accepted, and mean something else than somebody who comes from Kafka would think: each is explained in the log.</summary>
internal static class Explanations
{
    private static readonly string[] Quorum = ["controller.quorum.voters", "controller.quorum.bootstrap.servers"];

    /// <param name="written">All entries, as they were written.</param>
    /// <param name="settings">Ours among them.</param>
    public static IEnumerable<SettingsRemark> Of(IReadOnlyDictionary<string, string> written, NodeSettings settings)
    {
        if (settings[TopicConfigs.MinInsyncReplicas].AsLong() is > 1 and var replicas)
        {
            var durable = WalChoice.IsInStore(settings)
                ? "what is acknowledged lies in the object store, and outlives this machine"
                : "what is acknowledged lies in this node's WAL, and some seconds later in the object store. " +
                    "If it has to outlive the machine's disk from the first moment, choose millrace.wal=object";
            yield return new SettingsRemark(
                LogLevel.Warning, $"min.insync.replicas={replicas} holds up no write, since no broker replicates records: {durable}");
        }

        if (Quorum.FirstOrDefault(key => ConfigDefinition.ListItems(written.GetValueOrDefault(key, "")).Count() > 1) is { } quorum)
        {
            yield return new SettingsRemark(
                LogLevel.Warning,
                $"{quorum} names several nodes, and no quorum is needed: " +
                $"brokers that are started with the same store ({ServerSettings.Store}) are a cluster, whomever it names");
        }
    }
}
