using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Metadata.Image;

public sealed class MetadataVersionTests
{
    [Fact]
    public void Versions_are_compared_as_pairs_and_the_term_counts_first()
    {
        MetadataVersion[] rising = [default, new(0, 9), new(1, 0), new(1, 7), new(2, 0), new(2, 1)];

        Assert.Equal(rising, rising.Reverse().Order());
        Assert.Equal(rising.Select(version => version.ToInt64()).Order(), rising.Select(version => version.ToInt64()));
        Assert.True(new MetadataVersion(2, 0) > new MetadataVersion(1, 900) && new MetadataVersion(1, 900) < new MetadataVersion(2, 0));
        Assert.True(new MetadataVersion(2, 0) >= new MetadataVersion(2, 0) && new MetadataVersion(2, 0) <= new MetadataVersion(2, 0));
    }

    [Fact]
    public void A_snapshot_that_only_counted_changes_is_older_than_every_entry()
    {
        var reader = new KafkaReader(Convert.FromHexString("0000000000000905" + "00000001" + new string('0', 16 * 4) + "00"));
        var image = MetadataImage.Empty.Apply(CountersRecord.Read(ref reader, 0));

        Assert.Equal(new MetadataVersion(0, 0x905), image.Version);
        Assert.True(image.Version < new MetadataVersion(1, 0));
    }
}
