using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Protocol.Messages;

public sealed class VersionedBytesTests
{
    [Fact]
    public void A_value_stands_behind_its_version()
    {
        var bytes = VersionedBytes.Encode(new OffsetCommitValue { Offset = 3, LeaderEpoch = 1, Metadata = "m", CommitTimestamp = 4 }, version: 3);
        Assert.Equal("0003" + "0000000000000003" + "00000001" + "00016D" + "0000000000000004", Convert.ToHexString(bytes));
        Assert.Equal(3, VersionedBytes.Decode<OffsetCommitValue>(bytes).Offset);
    }

    [Fact]
    public void A_key_stands_behind_the_number_of_its_kind()
    {
        var bytes = VersionedBytes.EncodeKey(new OffsetCommitKey { Group = "g", Topic = "t", Partition = 5 }, OffsetCommitKey.KeyVersion);
        Assert.Equal("0001" + "000167" + "000174" + "00000005", Convert.ToHexString(bytes));
        Assert.Equal(OffsetCommitKey.KeyVersion, VersionedBytes.PeekVersion(bytes));
        Assert.Equal("t", VersionedBytes.DecodeKey<OffsetCommitKey>(bytes).Topic);
    }

    [Fact]
    public void A_newer_version_is_read_as_the_highest_known_one_only_on_demand()
    {
        var bytes = VersionedBytes.Encode(new ConsumerProtocolSubscription { Topics = ["t"], RackId = "r" }, version: 3);
        byte[] newer = [0, 9, .. bytes.AsSpan(2), 1, 2, 3];
        Assert.Throws<ProtocolException>(() => VersionedBytes.Decode<ConsumerProtocolSubscription>(newer));
        Assert.Equal("r", VersionedBytes.DecodeLenient<ConsumerProtocolSubscription>(newer).RackId);
    }
}
