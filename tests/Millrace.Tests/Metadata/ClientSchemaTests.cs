using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Metadata;

/// <summary>The bytes of what our own command line asks: it and brokers of different ages speak them.</summary>
public sealed class ClientSchemaTests
{
    private static readonly Guid Id = new("00000001-0002-0003-0405-060708090A0B");

    public static TheoryData<IMessage, string> Messages { get; } = new()
    {
        { new DescribeNodesRequest { TimeoutMs = 7 }, "00000007" + "00" },
        {
            new DescribeNodesResponse
            {
                ControllerId = 7,
                AnsweredBy = 6,
                Nodes =
                [
                    new()
                    {
                        NodeId = 7, Name = "n", NodeEpoch = 8, State = 1, Host = "h", Port = 9092, Rack = null, Internal = "i", Program = "p", Duty = 2,
                    },
                ],
                WaitingWals = [new() { WalId = Id, Location = "l", NodeId = 9, Partitions = [new() { Topic = "t", Partition = 1 }] }],
            },
            "0000" + "00000007" + "00000006"
            + "02" + "00000007" + "026E" + "0000000000000008" + "01" + "0268" + "00002384" + "00" + "0269" + "0270" + "02" + "00"
            + "02" + "00000001000200030405060708090A0B" + "026C" + "00000009" + "02" + "0274" + "00000001" + "00" + "00"
            + "00"
        },
        { new DescribeMovesRequest(), "00" },
        {
            new DescribeMovesResponse
            {
                Moves =
                [
                    new()
                    {
                        Topic = "t", TopicId = Id, Partition = 1, LeaderEpoch = 2, From = 3, To = 4, Phase = 5, BytesLeft = 6, BytesUploaded = 7, StopMs = 8,
                        AgeMs = 9, EndedAgoMs = -1,
                    },
                ],
            },
            "0000" + "02" + "0274" + "00000001000200030405060708090A0B" + "00000001" + "00000002" + "00000003" + "00000004" + "05" + "0000000000000006"
            + "0000000000000007" + "0000000000000008" + "0000000000000009" + "FFFFFFFFFFFFFFFF" + "00" + "00"
        },
        { new DescribeLoadRequest(), "00" },
        { new DescribeLoadResponse { AnsweredBy = 1, Load = null }, "0000" + "00000001" + "FF" + "00" },
        {
            new DescribeLoadResponse
            {
                AnsweredBy = 1,
                Load = new()
                {
                    CpuMillionths = 2, BytesIn = 3, BytesOut = 4, Requests = 5, WalWaitUs = 6, Memory = 7,
                    Busiest = [new() { Topic = "t", Partition = 8, BytesIn = 9, BytesOut = 10 }],
                },
            },
            "0000" + "00000001" + "01" + "00000002" + "0000000000000003" + "0000000000000004" + "0000000000000005" + "0000000000000006" + "0000000000000007"
            + "02" + "0274" + "00000008" + "0000000000000009" + "000000000000000A" + "00" + "00" + "00"
        },
        { new DescribeScalerRequest { TimeoutMs = 7 }, "00000007" + "00" },
        {
            new DescribeScalerResponse { ControllerId = 1, Mode = "m", HasCommand = true, Current = 2, Desired = 3, Min = 4, Max = 5, Serving = 6, Why = "w" },
            "0000" + "00000001" + "026D" + "01" + "00000002" + "00000003" + "00000004" + "00000005" + "00000006" + "0277" + "FF" + "00000000"
            + "00000000" + "FF" + "00"
        },
        {
            new DescribeScalerResponse
            {
                Mode = "m", Why = "w", Need = new() { Brokers = 1, Cpu = 2, TargetCpu = 3, Bytes = 4, TargetBytes = 5 }, Victim = 6, VictimLeads = 7,
                Run = new() { At = 8, Current = 9, Desired = 10, Victim = 11, Attempt = 12, TookMs = 13, Outcome = 14, Words = "s" },
            },
            "0000" + "00000000" + "026D" + "00" + "00000000" + "00000000" + "00000000" + "00000000" + "00000000" + "0277"
            + "01" + "3FF0000000000000" + "4000000000000000" + "4008000000000000" + "0000000000000004" + "0000000000000005" + "00"
            + "00000006" + "00000007"
            + "01" + "0000000000000008" + "00000009" + "0000000A" + "0000000B" + "0000000C" + "000000000000000D" + "0E" + "0273" + "00"
            + "00"
        },
    };

    [Theory]
    [MemberData(nameof(Messages), DisableDiscoveryEnumeration = true)]
    public void A_message_has_the_bytes_that_were_agreed_on(IMessage message, string bytes)
    {
        var written = MessageCodec.Write(message, 0);

        Assert.Equal(bytes, Convert.ToHexString(written));
        Assert.Equal(MessagePrinter.Print(message), MessagePrinter.Print(MessageCodec.For(message.GetType()).Read(written, 0)));
    }
}
