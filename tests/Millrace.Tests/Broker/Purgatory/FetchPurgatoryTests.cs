using CsCheck;
using Millrace.Broker.Purgatory;
using Xunit;

namespace Millrace.Tests.Broker.Purgatory;

public sealed class FetchPurgatoryTests
{
    [Fact]
    public void A_wait_ends_when_its_partitions_together_gave_enough()
    {
        var (left, right) = (new PartitionProgress(), new PartitionProgress());
        var wait = new FetchWait(missing: 10, partitions: 2);
        wait.Watch(left, left.Mark());
        wait.Watch(right, right.Mark());

        left.Advance(4);
        right.Advance(5);
        Assert.False(wait.Woken.IsCompleted);
        right.Advance(1);

        Assert.True(wait.Woken.IsCompleted);
    }

    [Fact]
    public void What_happened_since_the_mark_counts()
    {
        var progress = new PartitionProgress();
        var mark = progress.Mark();
        progress.Advance(10);
        var wait = new FetchWait(missing: 10, partitions: 1);

        wait.Watch(progress, mark);

        Assert.True(wait.Woken.IsCompleted);
    }

    [Fact]
    public void A_turn_wakes_whoever_waits_and_whoever_comes_with_an_older_mark()
    {
        var progress = new PartitionProgress();
        var mark = progress.Mark();
        var early = new FetchWait(missing: 10, partitions: 1);
        early.Watch(progress, mark);

        progress.EndWaits();
        var late = new FetchWait(missing: 10, partitions: 1);
        late.Watch(progress, mark);
        var later = new FetchWait(missing: 10, partitions: 1);
        later.Watch(progress, progress.Mark());

        Assert.True(early.Woken.IsCompleted);
        Assert.True(late.Woken.IsCompleted);
        Assert.False(later.Woken.IsCompleted);
    }

    /// <summary>Waits come and go in any order: each is woken exactly if enough became readable while it waited.</summary>
    [Fact]
    public void Waits_that_end_in_any_order_leave_the_others_listed() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5]).List[0, 60].Sample(steps =>
        {
            var progress = new PartitionProgress();
            var waits = new List<(FetchWait Wait, long Since, long Missing)>();
            var total = 0L;
            foreach (var (action, number) in steps)
            {
                switch (action)
                {
                    case 0:
                        var wait = new FetchWait(number + 1, partitions: 1);
                        wait.Watch(progress, progress.Mark());
                        waits.Add((wait, total, number + 1));
                        break;
                    case 1 when waits.Count > 0:
                        var index = number % waits.Count;
                        waits[index].Wait.End();
                        waits.RemoveAt(index);
                        break;
                    default:
                        progress.Advance(number);
                        total += number;
                        break;
                }

                Assert.All(waits, entry => Assert.Equal(total - entry.Since >= entry.Missing, entry.Wait.Woken.IsCompleted));
            }
        });
}
