namespace Millrace.ObjectStorage;

/// <summary>Lists of objects page by page: one is in memory at a time, however many objects there are.</summary>
public static class ObjectPages
{
    /// <summary>What a store lists at once.</summary>
    public const int Size = 1_000;

    /// <summary>The objects whose keys begin with a prefix. An empty page only where there are none.</summary>
    /// <exception cref="ObjectStorageException">The store has not answered for a page.</exception>
    public static IAsyncEnumerable<IReadOnlyList<ObjectEntry>> ListPagesAsync(this IObjectStorage storage, string prefix, CancellationToken token) =>
        ReadAsync(after => storage.ListAsync(prefix, after, Size, token));

    /// <summary>As <see cref="ListPagesAsync(IObjectStorage, string, CancellationToken)"/>; each page is asked for until the store answers.</summary>
    public static IAsyncEnumerable<IReadOnlyList<ObjectEntry>> ListPagesAsync(
        this IObjectStorage storage, string prefix, StoreRetry retry, CancellationToken token) =>
        ReadAsync(after => retry.UntilAnsweredAsync(() => storage.ListAsync(prefix, after, Size, token), token));

    /// <summary>The pages of a list, in its order.</summary>
    /// <param name="ask">Gets up to <see cref="Size"/> objects behind a key; null for the beginning. Fewer only at the end.</param>
    /// <param name="startAfter">Where the list begins: behind this key.</param>
    internal static async IAsyncEnumerable<IReadOnlyList<ObjectEntry>> ReadAsync(
        Func<string?, ValueTask<IReadOnlyList<ObjectEntry>>> ask, string? startAfter = null)
    {
        while (true)
        {
            var page = await ask(startAfter);
            yield return page;
            if (page.Count < Size)
            {
                yield break;
            }

            startAfter = page[^1].Key;
        }
    }
}
