using Millrace.Streams.Objects;
using Xunit;

namespace Millrace.Tests.Streams.Objects;

public sealed class DataObjectKeyTests
{
    [Fact]
    public void Keys_of_neighbouring_objects_spread_and_name_their_ids()
    {
        var keys = Enumerable.Range(0, 200).Select(i => DataObjectKey.Of(new(i))).ToList();
        Assert.Equal("data/9e/0000000000000001", keys[1]);
        Assert.True(keys.Select(key => key[..8]).Distinct().Count() > 100);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), keys.Select(key => DataObjectKey.Parse(key)!.Value.Value));
        Assert.Null(DataObjectKey.Parse("data/00/0000000000000001"));
        Assert.Null(DataObjectKey.Parse("data/9e/1"));
    }
}
