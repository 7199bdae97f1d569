using Confluent.Kafka;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class TopicScopeTests
{
    [Theory]
    [InlineData("t", new[] { 0, 1, 2 })]
    [InlineData("t:1", new[] { 1 })]
    [InlineData("t:2,0,2", new[] { 2, 0 })]
    public void A_topic_may_name_some_of_its_partitions(string text, int[] expected) =>
        Assert.Equal(expected.Select(number => new TopicPartition("t", number)), TopicScope.Parse(text, "--topic").Resolve(3));

    [Theory]
    [InlineData("t:")]
    [InlineData("t:x")]
    [InlineData("t:0,-1")]
    public void What_is_no_list_of_partitions_is_refused(string text) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailedException>(() => TopicScope.Parse(text, "--topic")).ExitCode);

    [Fact]
    public void A_partition_that_is_not_there_is_named() =>
        Assert.Equal(
            "Topic 't' has no partition 3; it has 3.",
            Assert.Throws<CommandFailedException>(() => TopicScope.Parse("t:1,3", "--topic").Resolve(3)).Message);
}
