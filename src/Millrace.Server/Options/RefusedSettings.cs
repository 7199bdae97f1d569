namespace Millrace.Server.Options;

/// <summary>
/// What a node must not be started with, because somebody would rely on what is not there. Each refusal names the key, never its
/// value, which may be a secret, and says what to do instead.
/// </summary>
internal static class RefusedSettings
{
    private const string NoAccessControl =
        "There are no ACLs yet: whoever reaches a listener may do everything. Remove it, and see to it that only those reach the listeners who may.";

    private const string NoSasl =
        "Clients cannot authenticate with SASL yet. Remove all sasl.* settings, and use PLAINTEXT listeners in a network that you trust.";

    private const string NoTls =
        "Listeners do not speak TLS yet. Remove all ssl.* settings, " +
        "and use PLAINTEXT listeners in a network that you trust, or behind a proxy that ends TLS. (A store that is reached by https needs no setting.)";

    private const string NoPolicies =
        "Classes that decide about requests cannot be loaded. Remove it, and do not rely on what it would refuse.";

    private const string OneTier =
        "There is no tiered storage, and none is needed: all records lie in the object store (millrace.store), " +
        "and retention.ms and retention.bytes alone say for how long. Remove it.";

    private const string NoTokens = "There are no delegation tokens yet. Remove it.";

    public static IReadOnlyList<RefusedSetting> All { get; } =
    [
        new("alter.config.policy.class.name", NoPolicies),
        new("authorizer.", NoAccessControl),
        new("client.quota.callback.class", "There are no quotas yet. Remove it."),
        new("config.providers",
            "Values are taken as they are written, and providers are not asked. " +
            "Remove it, and write the values themselves; credentials of the store come from the environment."),
        new("config.providers.", "Values are taken as they are written, and providers are not asked. Remove it."),
        new("connections.max.reauth.ms", NoSasl, "0"),
        new("create.topic.policy.class.name", NoPolicies),
        new("delegation.token.master.key", NoTokens),
        new("delegation.token.secret.key", NoTokens),
        new("principal.builder.class", NoAccessControl, "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"),
        new("process.roles",
            "A node that is only a controller does not exist here: every broker carries the controller in it. " +
            "Write process.roles=broker,controller or remove it, and start no node for the controllers of the file's cluster.",
            "broker", "broker,controller", "controller,broker", "broker, controller", "controller, broker"),
        new("remote.log.storage.system.enable", OneTier, "false"),
        new("remote.storage.enable", OneTier, "false"),
        new("s3.bucket",
            "AutoMQ's older settings of the store are not read. " +
            "Write s3.data.buckets or millrace.store=s3://BUCKET/PREFIX?endpoint=URL&region=NAME instead."),
        new("sasl.", NoSasl),
        new("security.inter.broker.protocol", NoTls, "PLAINTEXT"),
        new("security.providers", NoTls),
        new("ssl.", NoTls, "none"),
    ];

    /// <summary>The entry that means a key, whatever its value; null if none does.</summary>
    public static RefusedSetting? Find(string key) => All.FirstOrDefault(setting => HarmlessGroup.Matches(setting.Key, key));
}
