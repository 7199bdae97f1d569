using Xunit;

namespace Millrace.Tests.Clients;

/// <summary><c>millrace config</c>, and the names that it and <c>topic alter</c> do not take.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class BrokerConfigTests(SharedBroker broker)
{
    private const int Usage = 2;
    private const int NotFound = 3;

    private readonly Shell _shell = new(broker.BootstrapServers);

    [Fact]
    public async Task What_is_set_on_a_broker_counts_until_it_is_unset()
    {
        TestAgainst.SkipOnCluster("each broker has a line of its own");
        var before = await GetAsync();

        var set = await _shell.RunAsync("config set log.flush.interval.ms=54321");
        var after = await GetAsync();
        await _shell.RunAsync("config unset log.flush.interval.ms");

        Assert.EndsWith("log.flush.interval.ms\t54321", Assert.Single(set.Lines), StringComparison.Ordinal);
        Assert.Contains("\tlog.flush.interval.ms\t54321\tDynamicBrokerConfig\tfalse", after, StringComparison.Ordinal);
        Assert.Equal(before, await GetAsync());
    }

    [Theory]
    [InlineData(Usage, "config get num.partitoins", "There is no broker config 'num.partitoins'. Did you mean 'num.partitions'?")]
    [InlineData(Usage, "config get retentionn", "There is log.cleaner.delete.retention.ms, log.retention.bytes")]
    [InlineData(Usage, "topic alter config-names --set retention.ms=abc", "Not a number")]
    [InlineData(Usage, "config set log.flush.interval.ms=abc", "Not a number")]
    [InlineData(Usage, "config set log.flush.intervall.ms=1", "Did you mean 'log.flush.interval.ms'?")]
    [InlineData(Usage, "config unset log.flush.intervall.ms", "Did you mean 'log.flush.interval.ms'?")]
    [InlineData(Usage, "config set log.flush.interval.ms", "takes KEY=VALUE")]
    [InlineData(Usage, "config set log.flush.interval.ms=10 broker.rack=x", "broker.rack")]
    [InlineData(NotFound, "config get --broker 4711", "There is no broker 4711")]
    [InlineData(Usage, "topic alter config-names --unset retentoin.ms", "There is no topic config 'retentoin.ms'. Did you mean 'retention.ms'?")]
    [InlineData(Usage, "topic alter config-names --set retentoin.ms=1", "Did you mean 'retention.ms'?")]
    [InlineData(NotFound, "topic alter config-missing --unset retention.ms", "config-missing")]
    public async Task A_name_or_value_that_is_wrong_is_refused_and_changes_nothing(int exitCode, string command, string said)
    {
        await _shell.RunAsync("topic create config-names -p 1 --if-not-exists");
        var before = await GetAsync();

        var refused = await _shell.TryAsync(command);

        Assert.Equal(exitCode, refused.ExitCode);
        Assert.Contains(said, refused.Errors, StringComparison.Ordinal);
        Assert.Equal("", refused.Output);
        Assert.Equal(before, await GetAsync());
    }

    private async Task<string> GetAsync() => (await _shell.RunAsync("config get log.flush.interval.ms")).Output;
}
