using System.Buffers;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Metadata;

/// <summary>The bytes of what brokers ask each other: brokers of different ages speak them.</summary>
public sealed class PeerSchemaTests
{
    public static TheoryData<IMessage, string> Messages { get; } = new()
    {
        {
            new FollowPartitionRequest
            {
                NodeId = 1, TopicId = new Guid("00000001-0002-0003-0405-060708090A0B"), Partition = 2, LeaderEpoch = 3, Offset = 4, LastFetchedEpoch = -1,
                MaxBytes = 5, Follows = true, MaxWaitMs = 6, LogStartOffset = 7, ReadsWal = true,
            },
            "00000001" + "00000001000200030405060708090A0B" + "00000002" + "00000003" + "0000000000000004" + "FFFFFFFF" + "00000005" + "01" + "00000006"
            + "0000000000000007" + "01" + "00"
        },
        {
            new FollowPartitionResponse
            {
                ErrorCode = 6, LeaderEpoch = 1, HighWatermark = 2, LogStartOffset = 3, CommittedOffset = 4, Offset = 5, DivergingEpoch = -1,
                DivergingOffset = -1,
                Records = new ReadOnlySequence<byte>(new byte[] { 0xAB }), Extents = [new() { Location = "l", Term = 6, Index = 7, EndOffset = 8, Bytes = 9 }],
            },
            "0006" + "00000001" + "0000000000000002" + "0000000000000003" + "0000000000000004" + "0000000000000005" + "FFFFFFFF" + "FFFFFFFFFFFFFFFF" + "02AB"
            + "02" + "026C" + "0000000000000006" + "0000000000000007" + "0000000000000008" + "0000000000000009" + "00" + "00"
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
