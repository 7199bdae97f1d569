using Millrace.Cluster;
using Millrace.Cluster.Loads;
using Millrace.Metadata.Loads;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Cluster.Loads;

public sealed class LoadFormsTests
{
    private static readonly Guid Topic = new("00000001-0002-0003-0405-060708090A0B");

    private static readonly NodeLoad Load = new()
    {
        Cpu = 0.25,
        BytesIn = 1,
        BytesOut = 2,
        Requests = 3,
        WalWait = TimeSpan.FromMicroseconds(4_567),
        Memory = 5,
        Busiest = [new(Topic, 6, 7, 8), new(Topic, 9, 10, 0)],
    };

    [Fact]
    public void A_load_comes_through_its_bytes_as_it_was()
    {
        var read = LoadForms.Read(Told(LoadForms.Write(Load)));

        Assert.Equal(Load with { Busiest = [] }, read! with { Busiest = [] });
        Assert.Equal(Load.Busiest, read.Busiest);
    }

    [Fact]
    public void The_bytes_are_those_that_were_agreed_on() => Assert.Equal(
        "00000000000000000000000000000000" + "00000000" + "0000000000000000" + "0000000000000000" + "0000000000000000" + "0000000000000000" + "0000000000000000"
        + "01" + "0003D090" + "0000000000000001" + "0000000000000002" + "0000000000000003" + "00000000000011D7" + "0000000000000005" + "03"
        + "00000001000200030405060708090A0B" + "00000006" + "0000000000000007" + "0000000000000008" + "00"
        + "00000001000200030405060708090A0B" + "00000009" + "000000000000000A" + "0000000000000000" + "00" + "00" + "00",
        Convert.ToHexString(MessageCodec.Write(new NodeHeartbeatRequest { Load = LoadForms.Write(Load) }, 0)));

    [Fact]
    public void Most_heartbeats_tell_of_no_load_and_cost_a_byte_for_it() => Assert.Equal(
        MessageCodec.Measure(new NodeHeartbeatRequest { Load = LoadForms.Write(new NodeLoad()) }, 0) - 46,
        MessageCodec.Measure(new NodeHeartbeatRequest(), 0));

    [Fact]
    public void No_more_than_the_busiest_are_told()
    {
        var many = Load with { Busiest = [.. Enumerable.Range(0, NodeLoad.MostBusiest + 1).Select(partition => new PartitionLoad(Topic, partition, 1, 1))] };

        Assert.Equal(many.Busiest[..NodeLoad.MostBusiest], LoadForms.Read(LoadForms.Write(many))!.Busiest);
    }

    [Fact]
    public void What_no_node_measures_is_not_believed()
    {
        Action<NodeHeartbeatRequest.MeasuredLoad>[] lies =
        [
            load => load.CpuMillionths = -1,
            load => load.CpuMillionths = 1_000_001,
            load => load.BytesIn = -1,
            load => load.BytesIn = long.MaxValue,
            load => load.BytesOut = -1,
            load => load.BytesOut = long.MaxValue,
            load => load.Requests = -1,
            load => load.Requests = long.MaxValue,
            load => load.WalWaitUs = -1,
            load => load.WalWaitUs = long.MaxValue,
            load => load.Memory = -1,
            load => load.Memory = long.MaxValue,
            load => load.Busiest = [new() { TopicId = Topic, Partition = -1 }],
            load => load.Busiest = [new() { TopicId = Topic, BytesIn = -1 }],
            load => load.Busiest = [new() { TopicId = Topic, BytesOut = long.MaxValue }],
            load => load.Busiest = [.. Enumerable.Range(0, NodeLoad.MostBusiest + 1).Select(_ => new NodeHeartbeatRequest.BusyPartition())],
        ];
        Assert.All(lies, lie =>
        {
            var told = LoadForms.Write(Load);
            lie(told);
            Assert.Null(LoadForms.Read(Told(told)));
        });
    }

    private static NodeHeartbeatRequest.MeasuredLoad Told(NodeHeartbeatRequest.MeasuredLoad load)
    {
        var bytes = MessageCodec.Write(new NodeHeartbeatRequest { Load = load }, 0);
        return ((NodeHeartbeatRequest)MessageCodec.For(typeof(NodeHeartbeatRequest)).Read(bytes, 0)).Load!;
    }
}
