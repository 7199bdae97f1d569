using Confluent.Kafka;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class GroupCallsTests
{
    [Theory]
    [InlineData(ErrorCode.GroupCoordinatorNotAvailable)]
    [InlineData(ErrorCode.GroupLoadInProgress)]
    [InlineData(ErrorCode.NotCoordinatorForGroup)]
    public async Task A_coordinator_that_is_not_there_yet_is_asked_again(ErrorCode passing)
    {
        var asked = 0;
        Assert.Equal(3, await GroupCalls.RepeatAsync(
            TimeSpan.FromMinutes(1), () => ++asked < 3 ? throw new KafkaException(passing) : Task.FromResult(asked)));
    }

    [Fact]
    public async Task Another_refusal_is_said_at_once()
    {
        var asked = 0;
        await Assert.ThrowsAsync<KafkaException>(() => GroupCalls.RepeatAsync<int>(TimeSpan.FromMinutes(1), () =>
        {
            asked++;
            throw new KafkaException(ErrorCode.NonEmptyGroup);
        }));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task What_was_said_last_is_said_when_the_time_is_up() =>
        Assert.Equal(
            ErrorCode.GroupLoadInProgress,
            (await Assert.ThrowsAsync<KafkaException>(() => GroupCalls.RepeatAsync<int>(
                TimeSpan.FromMilliseconds(1), () => throw new KafkaException(ErrorCode.GroupLoadInProgress)))).Error.Code);
}
