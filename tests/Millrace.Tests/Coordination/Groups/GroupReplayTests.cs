using CsCheck;
using Millrace.Coordination.Groups;
using Xunit;

namespace Millrace.Tests.Coordination.Groups;

public sealed class GroupReplayTests
{
    [Fact]
    public void A_shard_that_replays_the_log_holds_what_the_one_that_wrote_it_holds()
    {
        var step = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3], Gen.Int[0, 1000]);
        step.List[1, 120].Sample(
            steps =>
            {
                var driver = new GroupShardDriver(new GroupOptions { OffsetsRetention = TimeSpan.FromMinutes(30) });
                var clients = Enumerable.Range(0, 4).Select(index => new Client(driver, $"c{index}")
                {
                    InstanceId = index == 3 ? "static" : null,
                    KnowsMemberIdRequired = index == 0,
                    KnowsSkipAssignment = true,
                }).ToArray();
                foreach (var (action, who, amount) in steps)
                {
                    Do(driver, clients, clients[who], action, amount);
                    Assert.Equal(driver.ReplayedState(), driver.State());
                    Assert.Equal(driver.Shard.LiveRecordCount, driver.Shard.LiveRecords().Count());
                }
            },
            iter: 300);
    }

    private static void Do(GroupShardDriver driver, Client[] clients, Client client, int action, int amount)
    {
        switch (action)
        {
            case 0 or 1:
                client.Topics = amount < 100 ? ["t", "u"] : ["t"];
                client.Join();
                if (client.Joining!.IsGiven && client.Joined.Error is GroupError.UnknownMember or GroupError.FencedInstance)
                {
                    client.MemberId = "";
                }

                break;
            case 2:
                client.Sync([.. clients.Select(member => (member, $"{amount}"))]);
                break;
            case 3:
                client.Commit(amount, topic: amount % 2 == 0 ? "t" : "u");
                break;
            case 4:
                client.Heartbeat();
                break;
            case 5:
                client.Leave();
                break;
            case 6:
                driver.AdvanceSeconds(amount / 20.0);
                break;
            case 7:
                driver.Advance(TimeSpan.FromSeconds(amount * 3));
                break;
            case 8:
                driver.Rewrite(amount % 7);
                break;
            default:
                if (amount < 300)
                {
                    driver.Load();
                }
                else if (amount < 600)
                {
                    driver.Ask<GroupError>((shard, reply) => shard.Delete("g", reply));
                }

                break;
        }
    }
}
