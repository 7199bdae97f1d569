using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class ShortageTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void It_begins_once_however_often_it_is_met_and_ends_once_when_it_has_not_been_met_for_a_while()
    {
        var shortage = new Shortage(_time);
        Assert.False(shortage.TryEnd());
        Assert.True(shortage.Begin());
        _time.Advance(Shortage.UsualCalm * 2);
        Assert.False(shortage.Begin());
        Assert.False(shortage.TryEnd());

        _time.Advance(Shortage.UsualCalm * 2);

        Assert.True(shortage.TryEnd(out var lasted));
        Assert.Equal(Shortage.UsualCalm.TotalSeconds * 2, lasted.TotalSeconds, tolerance: 5);
        Assert.False(shortage.TryEnd());
        Assert.True(shortage.Begin());
    }
}
