using Millrace.ObjectStorage;
using Millrace.Runtime;

namespace Millrace.Cluster.Membership;

/// <summary>Finds out whether the store takes a write from this node, with an object that means nothing.</summary>
/// <param name="runtime">Time, and a name for it.</param>
/// <param name="storage">The store.</param>
internal sealed class StoreCheck(NodeRuntime runtime, IObjectStorage storage)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Whether it does within a second. Reads say nothing of that: a full or write-protected store answers them.</summary>
    public async Task<bool> TakesWritesAsync(CancellationToken token)
    {
        var key = StorageProbe.Prefix + runtime.NewId().ToString("N");
        using var limit = new CancellationTokenSource(Limit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            await storage.PutAsync(key, new(new byte[1]), either.Token);
            await storage.DeleteAsync([key], either.Token);
            return true;
        }
        catch (Exception failure) when (failure is ObjectStorageException || (limit.IsCancellationRequested && !token.IsCancellationRequested))
        {
            return false;
        }
    }
}
