using Millrace.Streams.Append;
using Xunit;

namespace Millrace.Tests.Streams.Append;

public sealed class ConfirmNoticesTests : IDisposable
{
    private readonly Cores _cores = new();

    [Fact]
    public void An_owner_hears_of_what_comes_while_it_is_told_from_the_one_who_tells_it()
    {
        var core = _cores.Open(1);
        var owner = (TestOwner)core.Owner;
        var notices = new ConfirmNotices(core);
        owner.Confirming = confirmed =>
        {
            if (confirmed == 1)
            {
                _cores.Append(core, walPosition: 20);
                Assert.False(notices.Begin_NeedsLock());
            }
        };
        _cores.Append(core, walPosition: 10);
        Assert.True(notices.Begin_NeedsLock());
        notices.Tell();
        Assert.Equal([1, 2], owner.Confirmed);
        Assert.True(notices.Begin_NeedsLock());
    }

    public void Dispose() => _cores.Dispose();
}
