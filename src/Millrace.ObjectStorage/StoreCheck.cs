using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Finds out what a store does with a write from here, by an object that means nothing. Reads say nothing of that: a store may answer them alone.
/// </summary>
/// <remarks>
/// It has one key, below those of <see cref="StorageProbe"/>, and deletes what it wrote. Of a check that was not answered the object may be there, or come
/// yet: the next check takes the same key and deletes it. So all that ever stays is a byte of a process that ended before that. Threading: any thread.
/// </remarks>
/// <param name="runtime">Time, and a name for the object.</param>
/// <param name="storage">The store.</param>
public sealed class StoreCheck(NodeRuntime runtime, IObjectStorage storage)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private readonly string _key = StorageProbe.Prefix + runtime.NewId().ToString("N");

    /// <summary>An earlier check may have left its object, which another one would delete.</summary>
    public bool MayHaveLeft { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Whether it takes a write within a second.</summary>
    public async Task<bool> TakesWritesAsync(CancellationToken token) => await AskAsync(token) == StoreAnswer.Done;

    /// <summary>What it answers within a second.</summary>
    public async Task<StoreAnswer> AskAsync(CancellationToken token)
    {
        using var limit = new CancellationTokenSource(Limit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        var answer = StoreAnswer.None;
        MayHaveLeft = true;
        try
        {
            await storage.PutAsync(_key, new(new byte[1]), either.Token);
            answer = StoreAnswer.Done;
            await storage.DeleteAsync([_key], either.Token);
            MayHaveLeft = false;
        }
        catch (ObjectStorageException refusal) when (answer == StoreAnswer.None && refusal.IsAnswer)
        {
            answer = StoreAnswer.Refused;
            // Who takes no write is not asked for another one, whatever an earlier one has left.
            MayHaveLeft = false;
        }
        catch (Exception silence) when (silence is ObjectStorageException || (limit.IsCancellationRequested && !token.IsCancellationRequested))
        {
            // The object may be there.
        }

        return answer;
    }
}
