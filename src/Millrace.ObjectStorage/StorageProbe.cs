using System.Globalization;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Asks a store at start whether it keeps the promises that everything rests on: a create-only write with one winner above
/// all. A store that accepts the condition and ignores it would lose acknowledged data, silently, at the first failover.
/// </summary>
public static class StorageProbe
{
    private const string Prefix = "PROBE/";
    private const int Racers = 4;

    // One call that is throttled or cut must not end a start; a store that is away is to be reported within seconds.
    private const int Attempts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Returns if the store keeps its promises. Transient failures begin the probe anew, a few times.</summary>
    /// <exception cref="ObjectStorageException">Invalid, with the promise it breaks; or the failure of a call.</exception>
    public static async ValueTask CheckAsync(NodeRuntime runtime, IObjectStorage storage, CancellationToken token)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await CheckOnceAsync(runtime, storage, token);
                return;
            }
            catch (ObjectStorageException failure) when (failure.Error == ObjectStorageError.Transient && attempt < Attempts)
            {
                await Task.Delay(pause, runtime.Time, token);
                pause *= 2;
            }
            catch (ObjectStorageException failure) when (failure.Error == ObjectStorageError.Invalid)
            {
                throw new ObjectStorageException(failure.Error, $"The store {storage.Name} cannot be used: {failure.Message}", failure);
            }
        }
    }

    private static async ValueTask CheckOnceAsync(NodeRuntime runtime, IObjectStorage storage, CancellationToken token)
    {
        // Keys of its own: what an attempt before has written, or will write yet, says nothing.
        var id = runtime.NewId().ToString("N", CultureInfo.InvariantCulture);
        string key = $"{Prefix}{id}/a", raced = $"{Prefix}{id}/b";
        string? broken;
        try
        {
            broken = await FindBrokenPromiseAsync(storage, key, raced, token);
        }
        catch (ObjectStorageException)
        {
            await TryDeleteAsync(storage, key, raced, token);
            throw;
        }

        if (broken is not null)
        {
            throw new ObjectStorageException(ObjectStorageError.Invalid, broken + await TryDeleteAsync(storage, key, raced, token));
        }
    }

    /// <returns>What to say of what is left behind; nothing if nothing is.</returns>
    private static async ValueTask<string> TryDeleteAsync(IObjectStorage storage, string key, string raced, CancellationToken token)
    {
        try
        {
            await storage.DeleteAsync([key, raced], token);
            return "";
        }
        catch (ObjectStorageException failure)
        {
            return $" (objects of the probe may be left below {Prefix}: {failure.Message})";
        }
    }

    private static async ValueTask<string?> FindBrokenPromiseAsync(IObjectStorage storage, string key, string raced, CancellationToken token)
    {
        byte[] body = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
        if (!await storage.TryCreateAsync(key, new(body), token))
        {
            return "it refused to create an object that does not exist (If-None-Match: * on a new key)";
        }

        if (await storage.TryCreateAsync(key, new([1, 2, 3]), token))
        {
            return "it let an object be created twice. It ignores If-None-Match: * on PUT, without which several brokers could each believe to own the cluster";
        }

        if (await storage.GetAsync(key, token) is not { } found || !found.AsSpan().SequenceEqual(body))
        {
            return "what was written does not read back, or a refused create changed it";
        }

        var part = new byte[100];
        if (await storage.ReadAsync(key, 950, part, token) != 50 || !part.AsSpan(0, 50).SequenceEqual(body.AsSpan(950)))
        {
            return "a ranged read returns something else than the range";
        }

        var won = await Task.WhenAll(Enumerable.Range(0, Racers).Select(i => storage.TryCreateAsync(raced, new([(byte)i]), token).AsTask()));
        if (won.Count(mine => mine) != 1)
        {
            return $"{won.Count(mine => mine)} of {Racers} creates of one key at the same time succeeded, and it must be one";
        }

        var folder = key[..(key.LastIndexOf('/') + 1)];
        if (!(await storage.ListAsync(folder, null, 10, token)).SequenceEqual([new(key, body.Length), new(raced, 1)])
            || !(await storage.ListAsync(folder, key, 10, token)).SequenceEqual([new(raced, 1)]))
        {
            return "a list does not show what was just written, in order and from a key on";
        }

        await storage.DeleteAsync([key, raced], token);
        return await storage.GetAsync(key, token) is not null || (await storage.ListAsync(folder, null, 10, token)).Count > 0
            ? "a deleted object is still there"
            : null;
    }
}
