using System.Buffers;
using System.Text;
using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

/// <summary>What every object store promises; each kind of store runs it.</summary>
public abstract class ObjectStorageContract : IAsyncLifetime
{
    private IObjectStorage? _store;

    private protected IObjectStorage Store => _store!;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        try
        {
            _store = await OpenAsync();
        }
        catch
        {
            // Skipped, perhaps; what was made for the test must go all the same.
            await CloseAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_created_object_reads_back_and_a_second_create_is_refused()
    {
        Assert.True(await Store.TryCreateAsync("LOG/0/1", Body("first"), Token));
        Assert.False(await Store.TryCreateAsync("LOG/0/1", Body("second"), Token));
        Assert.Equal("first", Text(await Store.GetAsync("LOG/0/1", Token)));
    }

    [Fact]
    public async Task One_of_many_creators_wins_and_its_body_stays()
    {
        for (var round = 0; round < 5; round++)
        {
            var key = $"race/{round}";
            var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => await Store.TryCreateAsync(key, Body($"writer {i}"), Token)));
            Assert.Equal(1, won.Count(mine => mine));
            Assert.Equal($"writer {Array.IndexOf(won, true)}", Text(await Store.GetAsync(key, Token)));
        }
    }

    [Fact]
    public async Task What_is_absent_is_null_and_minus_one_and_deleting_it_is_no_error()
    {
        Assert.Null(await Store.GetAsync("no/such/key", Token));
        Assert.Equal(-1, await Store.ReadAsync("no/such/key", 0, new byte[4], Token));
        await Store.DeleteAsync(["no/such/key"], Token);
    }

    [Fact]
    public async Task An_empty_object_exists()
    {
        Assert.True(await Store.TryCreateAsync("empty", default, Token));
        Assert.Empty((await Store.GetAsync("empty", Token))!);
        Assert.Equal(0, await Store.ReadAsync("empty", 0, new byte[4], Token));
        Assert.Equal([new("empty", 0)], await Store.ListAsync("empty", null, 10, Token));
    }

    [Fact]
    public async Task A_range_reads_what_is_there_and_is_short_only_at_the_end()
    {
        await Store.PutAsync("ranged", Body("0123456789"), Token);
        Assert.Equal("345", await ReadTextAsync("ranged", 3, 3));
        Assert.Equal("89", await ReadTextAsync("ranged", 8, 5));
        Assert.Equal("", await ReadTextAsync("ranged", 10, 5));
        Assert.Equal("", await ReadTextAsync("ranged", 100, 5));
    }

    [Fact]
    public async Task Put_replaces_and_takes_bodies_in_pieces()
    {
        await Store.PutAsync("pieces", Body("old"), Token);
        await Store.PutAsync("pieces", Pieces("one ", "two ", "three"), Token);
        Assert.Equal("one two three", Text(await Store.GetAsync("pieces", Token)));
        Assert.True(await Store.TryCreateAsync("pieces2", Pieces("one ", "two ", "three"), Token));
        Assert.Equal("one two three", Text(await Store.GetAsync("pieces2", Token)));
    }

    [Fact]
    public async Task Lists_are_in_ordinal_order_page_by_key_and_agree_with_a_model()
    {
        // '-' and '.' sort before '/', letters behind it: folders and files interleave.
        string[] keys = ["L/a", "L/a-b", "L/b/x", "L/b-", "L/b.c", "L/b/y/z", "L/b0", "L/c/1", "L/c/2", "M", "L0"];
        foreach (var key in keys)
        {
            await Store.PutAsync(key, Body(key), Token);
        }

        foreach (var prefix in (string[])["", "L", "L/", "L/b", "L/b/", "L/c/2", "X"])
        {
            foreach (var after in (string?[])[null, "L/a", "L/b", "L/b/x", "L/b/xx", "L/zz", "Z"])
            {
                foreach (var limit in (int[])[1, 3, 100])
                {
                    var expected = keys.Order(StringComparer.Ordinal)
                        .Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(key, after) > 0))
                        .Take(limit).Select(key => new ObjectEntry(key, key.Length));
                    Assert.Equal(expected, await Store.ListAsync(prefix, after, limit, Token));
                }
            }
        }
    }

    [Fact]
    public async Task Deleted_objects_are_gone_and_their_keys_can_be_created_again()
    {
        await Store.PutAsync("D/1/a", Body("a"), Token);
        await Store.PutAsync("D/2/b", Body("b"), Token);
        await Store.DeleteAsync(["D/1/a", "D/2/b", "D/3/c"], Token);
        Assert.Empty(await Store.ListAsync("D/", null, 10, Token));
        Assert.Null(await Store.GetAsync("D/1/a", Token));
        Assert.True(await Store.TryCreateAsync("D/1/a", Body("again"), Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData(".tmp/x")]
    [InlineData("a b")]
    [InlineData("\u00e4")]
    public async Task A_key_that_some_store_could_not_hold_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.TryCreateAsync(key, Body("x"), Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.PutAsync(key, Body("x"), Token));
    }

    [Fact]
    public async Task A_large_body_arrives_unchanged()
    {
        var bytes = new byte[LargeBody];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(i * 31 + (i >> 13));
        }

        await Store.PutAsync("large", new(bytes), Token);
        Assert.Equal(bytes, await Store.GetAsync("large", Token));
        var middle = new byte[100_000];
        Assert.Equal(middle.Length, await Store.ReadAsync("large", 4_999_999, middle, Token));
        Assert.True(bytes.AsSpan(4_999_999, middle.Length).SequenceEqual(middle));
        Assert.Empty(await Store.ListUnfinishedUploadsAsync("", Token));
    }

    private protected virtual int LargeBody => 12_345_678;

    private protected abstract ValueTask<IObjectStorage> OpenAsync();

    private protected virtual ValueTask CloseAsync() => ValueTask.CompletedTask;

    private protected static ReadOnlySequence<byte> Body(string text) => new(Encoding.ASCII.GetBytes(text));

    private protected static string? Text(byte[]? body) => body is null ? null : Encoding.ASCII.GetString(body);

    private async Task<string> ReadTextAsync(string key, long position, int length)
    {
        var buffer = new byte[length];
        var count = await Store.ReadAsync(key, position, buffer, Token);
        return Encoding.ASCII.GetString(buffer, 0, count);
    }

    private static ReadOnlySequence<byte> Pieces(params string[] parts)
    {
        var joined = new JoinedMemory();
        foreach (var part in parts)
        {
            joined.Add(Encoding.ASCII.GetBytes(part));
        }

        return joined.ToSequence();
    }
}
