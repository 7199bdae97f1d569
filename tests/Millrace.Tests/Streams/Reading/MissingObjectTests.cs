using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Xunit;

namespace Millrace.Tests.Streams.Reading;

/// <summary>A reader finds that an object is gone: it was merged with others, nothing needs it any more, or it is lost.</summary>
public sealed class MissingObjectTests : StreamsTest
{
    [Fact]
    public async Task An_object_that_is_said_to_be_there_still_is_damage_after_a_few_questions()
    {
        var owner = await UploadAsync(pieces: 1);
        var questions = 0;
        Registry.Before = call =>
        {
            questions += call == "GetRangesAsync" ? 1 : 0;
            return default;
        };
        await Storage.DeleteAsync(await Storage.KeysAsync(), default);

        var failure = await Assert.ThrowsAsync<StreamException>(async () => (await owner.Stream.ReadAsync(0, 100, default)).Dispose());

        Assert.Equal(StreamError.Corrupt, failure.Error);
        Assert.InRange(questions, 2, 5);
    }

    [Fact]
    public async Task What_was_trimmed_further_than_its_owner_has_heard_is_out_of_range_and_the_stream_begins_behind_it()
    {
        var owner = await UploadAsync(pieces: 2);
        var first = Registry.Describe(owner.Stream.Id).Ranges[0].Object;
        // Whoever asked for it gave up before the answer.
        await Registry.TrimAsync(Node.Incarnation, owner.Stream.Id, new StreamEpoch(1), 3, default);
        await Storage.DeleteAsync([DataObjectKey.Of(first)], default);

        var failure = await Assert.ThrowsAsync<StreamException>(async () => (await owner.Stream.ReadAsync(0, 100, default)).Dispose());

        Assert.Equal((StreamError.OffsetOutOfRange, 3), (failure.Error, owner.Stream.StartOffset));
        Assert.Equal([3, 4, 5], await TestNode.ReadAllAsync(owner.Stream, 3));
    }

    [Fact]
    public async Task What_lies_before_an_object_that_is_gone_is_read_and_who_goes_on_hears_of_it()
    {
        // The newest checkpoint is not in the one that is lost.
        var owner = await UploadAsync(pieces: 3);
        var second = Registry.Describe(owner.Stream.Id).Ranges[1].Object;
        await Storage.DeleteAsync([DataObjectKey.Of(second)], default);
        await owner.Stream.CloseAsync(default);
        // Another node: no index of them is in its memory.
        await using var other = new TestNode(Registry, Storage, TestNode.Small, epoch: 2);
        owner = await other.OpenAsync(owner.Stream.Id, epoch: 2);

        using (var read = await owner.Stream.ReadAsync(0, 100_000, default))
        {
            Assert.Equal([0, 1, 2], read.Records.Select(record => record.BaseOffset));
        }

        var failure = await Assert.ThrowsAsync<StreamException>(async () => (await owner.Stream.ReadAsync(3, 100, default)).Dispose());
        Assert.Equal(StreamError.Corrupt, failure.Error);
    }

    private async Task<TestOwner> UploadAsync(int pieces)
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync();
        for (var piece = 0; piece < pieces; piece++)
        {
            for (var i = 0; i < 3; i++)
            {
                await node.AppendAsync(owner);
            }

            await node.UploadAsync();
        }

        await TestNode.UntilAsync(() => node.Store.Budget.Held == 0);
        return owner;
    }
}
