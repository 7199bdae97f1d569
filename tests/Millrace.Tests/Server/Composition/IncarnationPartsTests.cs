using Millrace.Server.Composition;
using Xunit;

namespace Millrace.Tests.Server.Composition;

public sealed class IncarnationPartsTests
{
    private readonly List<string> _gone = [];

    [Fact]
    public async Task Parts_go_in_the_reverse_order_of_their_making_and_once()
    {
        var parts = new IncarnationParts();
        parts.Add(new Part(this, "log", null));
        parts.Add(new Part(this, "WAL", null));

        await parts.DisposeAsync();
        await parts.DisposeAsync();

        Assert.Equal(["WAL", "log"], _gone);
    }

    [Fact]
    public async Task A_part_that_fails_leaves_none_open_and_the_first_failure_is_told()
    {
        var parts = new IncarnationParts();
        parts.Add(new Part(this, "log", null));
        parts.Add(new Part(this, "WAL", "the disk is away"));
        parts.Add(new Part(this, "streams", null));
        parts.Add(new Part(this, "broker", "a socket is away"));

        var told = await Assert.ThrowsAsync<IOException>(async () => await parts.DisposeAsync());

        Assert.Equal("a socket is away", told.Message);
        Assert.Equal(["broker", "streams", "WAL", "log"], _gone);
    }

    private sealed class Part(IncarnationPartsTests test, string name, string? failure) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            test._gone.Add(name);
            return failure is null ? ValueTask.CompletedTask : throw new IOException(failure);
        }
    }
}
