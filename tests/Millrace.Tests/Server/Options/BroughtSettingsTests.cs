using Microsoft.Extensions.Logging;
using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

/// <summary>Settings that people bring along from Kafka and AutoMQ: understood, without effect, or refused, and never silently.</summary>
public sealed class BroughtSettingsTests
{
    [Fact]
    public void Kafkas_own_file_is_taken_with_its_log_folder_as_the_data_directory_and_one_warning()
    {
        var settings = PropertiesFixture.Read("kraft-combined");

        Assert.Equal("/tmp/kraft-combined-logs", settings[ServerSettings.DataDirectory].Value);
        Assert.Equal(1, settings["node.id"].AsLong());
        Assert.Equal(
            "Understood from settings of Kafka: log.dirs as millrace.data.dir=/tmp/kraft-combined-logs", Assert.Single(Said(settings, LogLevel.Information)));
        var warning = Assert.Single(Said(settings, LogLevel.Warning));
        Assert.StartsWith("These settings of Kafka have no effect here: ", warning, StringComparison.Ordinal);
        Assert.Contains("num.io.threads, num.network.threads", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_a_container_with_an_inner_and_an_outer_listener_is_taken()
    {
        var settings = PropertiesFixture.Read("container");

        Assert.Equal("/var/lib/kafka/data", settings[ServerSettings.DataDirectory].Value);
        Assert.Equal(0, settings["group.initial.rebalance.delay.ms"].AsLong());
        Assert.Single(Said(settings, LogLevel.Warning));
    }

    [Fact]
    public void A_file_of_AutoMQs_names_its_store_its_WAL_and_its_caches()
    {
        var settings = PropertiesFixture.Read("automq");

        Assert.Equal("s3://automq-data?endpoint=http://minio:9000&region=us-east-1&path-style=true", settings[ServerSettings.Store].Value);
        Assert.Equal("object", settings[ServerSettings.Wal].Value);
        Assert.Equal(2L << 30, settings[ServerSettings.NotUploadedMax].AsLong());
        Assert.Equal(524_288_000, settings[ServerSettings.UploadBytes].AsLong());
        Assert.Equal(1L << 30, settings[ServerSettings.BlockCache].AsLong());
        Assert.Contains("KAFKA_S3_ACCESS_KEY", Assert.Single(Said(settings, LogLevel.Information)), StringComparison.Ordinal);
        var warnings = Said(settings, LogLevel.Warning);
        Assert.Equal(2, warnings.Count);
        Assert.Contains("log.dirs", warnings[0], StringComparison.Ordinal);
        Assert.Contains("s3.ops.buckets", warnings[1], StringComparison.Ordinal);
        Assert.DoesNotContain("s3.data.buckets", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_set_under_our_names_counts_before_what_others_say()
    {
        var kafka = PropertiesFixture.Read("kraft-combined", (ServerSettings.DataDirectory, "/d"));
        var autoMq = PropertiesFixture.Read("automq", (ServerSettings.Store, "file:///s"), ("s3.wal.path", "0@file:///w?capacity=1073741824&iops=3000"));

        Assert.Equal("/d", kafka[ServerSettings.DataDirectory].Value);
        Assert.Empty(Said(kafka, LogLevel.Information));
        Assert.Equal("file:///s", autoMq[ServerSettings.Store].Value);
        Assert.Equal("file:///w?capacity=1073741824", autoMq[ServerSettings.Wal].Value);
    }

    [Theory]
    [InlineData("log.dir", "/one", "/one")]
    [InlineData("log.dirs", " /one , /two", "/one")]
    public void A_log_folder_is_the_data_directory(string key, string value, string directory) =>
        Assert.Equal(directory, From((key, value))[ServerSettings.DataDirectory].Value);

    [Theory]
    [InlineData("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")]
    [InlineData("sasl.enabled.mechanisms", "PLAIN")]
    [InlineData("sasl.jaas.config", "a required password=\"hidden\";")]
    [InlineData("listener.name.external.scram-sha-256.sasl.jaas.config", "a required password=\"hidden\";")]
    [InlineData("listener.name.external.ssl.keystore.location", "/k")]
    [InlineData("ssl.client.auth", "required")]
    [InlineData("security.inter.broker.protocol", "SASL_SSL")]
    [InlineData("remote.log.storage.system.enable", "true")]
    [InlineData("remote.storage.enable", "true")]
    [InlineData("create.topic.policy.class.name", "com.example.Policy")]
    [InlineData("config.providers", "file")]
    [InlineData("process.roles", "controller")]
    [InlineData("listener.name.external.max.connections", "10")]
    [InlineData("s3.bucket", "old")]
    [InlineData("s3.data.buckets", "0@s3://a,1@s3://b")]
    [InlineData("s3.data.buckets", "0@s3://a?accessKey=hidden&secretKey=hidden")]
    [InlineData("s3.data.bucket", "0@s3://a")]
    public void What_would_be_relied_on_and_is_not_there_is_refused_by_name_without_its_value(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => From((key, value)));

        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.NewLine, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("authorizer.class.name", "")]
    [InlineData("remote.log.storage.system.enable", "false")]
    [InlineData("security.inter.broker.protocol", "PLAINTEXT")]
    [InlineData("process.roles", "broker")]
    [InlineData("ssl.client.auth", "none")]
    [InlineData("listener.name.external.socket.send.buffer.bytes", "1")]
    [InlineData("zookeeper.connect", "localhost:2181")]
    [InlineData("log.flush.interval.messages", "1")]
    [InlineData("log.roll.hours", "24")]
    [InlineData("confluent.license.topic.replication.factor", "1")]
    public void What_asks_for_nothing_is_taken_with_a_warning(string key, string value) =>
        Assert.Contains(key, Assert.Single(Said(From((key, value)), LogLevel.Warning)), StringComparison.Ordinal);

    [Fact]
    public void A_command_line_puts_right_what_a_file_says_wrongly() =>
        Assert.Equal(
            2,
            From(("num.partitions", "none"), ("sasl.enabled.mechanisms", "PLAIN"), ("num.partitions", "2"), ("sasl.enabled.mechanisms", ""))
                ["num.partitions"].AsLong());

    [Theory]
    [InlineData("min.insync.replicas", "2", "holds up no write")]
    [InlineData("controller.quorum.voters", "1@a:9093,2@b:9093,3@c:9093", "brokers that are started with the same store")]
    public void What_means_less_than_in_Kafka_is_explained(string key, string value, string explanation) =>
        Assert.Contains(
            Said(From((key, value)), LogLevel.Warning),
            text => text.StartsWith(key, StringComparison.Ordinal) && text.Contains(explanation, StringComparison.Ordinal));

    [Fact]
    public void AutoMQs_settings_of_the_store_do_not_count_where_AutoMQ_is_switched_off() =>
        Assert.Null(From(("elasticstream.enable", "false"), ("s3.data.buckets", "0@s3://a"))[ServerSettings.Store].Value);

    [Fact]
    public void No_setting_is_in_two_tables()
    {
        var harmless = HarmlessSettings.Groups.SelectMany(group => group.Keys).ToList();

        Assert.Equal(harmless.Distinct(StringComparer.Ordinal), harmless);
        Assert.All(harmless, key => Assert.True(ServerSettings.Find(key) is null && RefusedSettings.Find(key) is null && !AutoMqSettings.Contains(key), key));
        Assert.All(RefusedSettings.All, refused => Assert.Null(ServerSettings.Find(refused.Key)));
    }

    private static NodeSettings From(params (string Key, string Value)[] settings) =>
        NodeSettings.From(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)));

    private static List<string> Said(NodeSettings settings, LogLevel level) =>
        [.. settings.Remarks.Where(remark => remark.Level == level).Select(remark => remark.Text)];
}
