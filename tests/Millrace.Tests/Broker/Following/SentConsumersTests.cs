using Millrace.Broker.Following;
using Millrace.Metadata.Image;
using Xunit;

namespace Millrace.Tests.Broker.Following;

public sealed class SentConsumersTests
{
    private static readonly Guid Topic = new(1, 2, 3, new byte[8]);

    private readonly ManualTime _time = new();

    [Fact]
    public void Who_comes_back_within_a_minute_is_served_and_is_sent_away_again_after_it()
    {
        var sent = new SentConsumers(_time);
        var consumer = TestContext.NewConnection(ListenerName.Plaintext);

        Assert.True(sent.TrySend(consumer, Topic, 0));
        Assert.False(sent.TrySend(consumer, Topic, 0));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(sent.TrySend(consumer, Topic, 0));
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(sent.TrySend(consumer, Topic, 0));
        Assert.False(sent.TrySend(consumer, Topic, 0));
    }

    [Fact]
    public void Each_connection_and_partition_counts_for_itself()
    {
        var sent = new SentConsumers(_time);
        var consumer = TestContext.NewConnection(ListenerName.Plaintext);
        Assert.True(sent.TrySend(consumer, Topic, 0));

        Assert.True(sent.TrySend(consumer, Topic, 1));
        Assert.True(sent.TrySend(consumer, Guid.Empty, 0));
        Assert.True(sent.TrySend(TestContext.NewConnection(ListenerName.Plaintext), Topic, 0));
    }

    [Fact]
    public void Where_too_many_would_have_to_be_remembered_the_others_are_served_here()
    {
        var sent = new SentConsumers(_time);
        var consumer = TestContext.NewConnection(ListenerName.Plaintext);
        for (var partition = 0; partition < 50_000; partition++)
        {
            Assert.True(sent.TrySend(consumer, Topic, partition));
        }

        Assert.False(sent.TrySend(consumer, Topic, 50_000));
        _time.Advance(TimeSpan.FromSeconds(66));
        Assert.True(sent.TrySend(consumer, Topic, 50_000));
    }
}
