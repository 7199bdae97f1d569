using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class ObjectPagesTests : IAsyncDisposable
{
    private readonly MemoryObjectStorage _store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, new[] { 0 })]
    [InlineData(999, new[] { 999 })]
    [InlineData(1_000, new[] { 1_000, 0 })]
    [InlineData(2_001, new[] { 1_000, 1_000, 1 })]
    public async Task A_list_comes_whole_and_in_order_a_page_at_a_time(int objects, int[] pages)
    {
        var keys = Enumerable.Range(0, objects).Select(i => $"a/{i:0000}").ToList();
        await Task.WhenAll(keys.Append("b").Select(key => _store.TryCreateAsync(key, default, Token).AsTask()));

        var found = await _store.ListPagesAsync("a/", Token).ToListAsync(Token);

        Assert.Equal(pages, found.Select(page => page.Count));
        Assert.Equal(keys, found.SelectMany(page => page).Select(entry => entry.Key));
    }

    [Fact]
    public async Task Whoever_has_seen_enough_asks_for_no_more()
    {
        await Task.WhenAll(Enumerable.Range(0, 2_001).Select(i => _store.TryCreateAsync($"a/{i:0000}", default, Token).AsTask()));
        var asked = new List<string?>();
        await foreach (var page in ObjectPages.ReadAsync(
            after =>
            {
                asked.Add(after);
                return _store.ListAsync("a/", after, ObjectPages.Size, Token);
            },
            "a/0000"))
        {
            if (page[^1].Key == "a/2000")
            {
                break;
            }
        }

        Assert.Equal(["a/0000", "a/1000"], asked);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}
