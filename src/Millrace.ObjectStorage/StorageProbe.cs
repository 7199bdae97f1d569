using System.Buffers;
using System.Globalization;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Asks a store at start whether it keeps the promises that everything rests on: a create-only write with one winner above
/// all. A store that accepts the condition and ignores it would lose acknowledged data, silently, at the first failover.
/// </summary>
/// <remarks>
/// A store that is away, or refuses most calls for a while, is waited for: each call is made until it is answered, so that one that refuses seven calls
/// of ten is through in seconds. Nothing is concluded from a call whose outcome is unknown: it may take effect at any time later.
/// </remarks>
public sealed class StorageProbe
{
    /// <summary>What its keys begin with, and those of <see cref="StoreCheck"/>. One that was killed may have left some.</summary>
    public const string Prefix = "PROBE/";

    private const int Racers = 4;
    private readonly NodeRuntime _runtime;
    private readonly IObjectStorage _storage;
    private readonly StorePatience _patience;

    // Everything that may be there.
    private readonly List<string> _keys = [];

    private StorageProbe(NodeRuntime runtime, IObjectStorage storage, StorePatience patience) =>
        (_runtime, _storage, _patience) = (runtime, storage, patience);

    /// <summary>Returns if the store keeps its promises.</summary>
    /// <param name="runtime">Time, ids and lots.</param>
    /// <param name="storage">The store.</param>
    /// <param name="patience">How long it is waited for; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="ObjectStorageException">
    /// Invalid, with the promise it breaks, or AccessDenied, at once; Transient, with its last answer, when patience is at its end.
    /// </exception>
    public static async ValueTask CheckAsync(NodeRuntime runtime, IObjectStorage storage, TimeSpan patience, CancellationToken token) =>
        await StorePatience.DoAsync(
            runtime,
            storage,
            patience,
            async waiting =>
            {
                await new StorageProbe(runtime, storage, waiting).CheckAsync(token);
                return true;
            },
            token);

    private async ValueTask CheckAsync(CancellationToken caller)
    {
        string? broken;
        try
        {
            broken = await FindBrokenPromiseAsync(_patience.Token);
        }
        catch (ObjectStorageException failure)
        {
            await TryDeleteAllAsync(_patience.Token, caller);
            throw failure.Error == ObjectStorageError.Invalid
                ? new ObjectStorageException(failure.Error, $"The store {_storage.Name} cannot be used: {failure.Message}", failure)
                : failure;
        }

        var left = await TryDeleteAllAsync(_patience.Token, caller);
        if (broken is not null)
        {
            throw new ObjectStorageException(ObjectStorageError.Invalid, $"The store {_storage.Name} cannot be used: {broken}{left}");
        }
    }

    private async ValueTask<string?> FindBrokenPromiseAsync(CancellationToken token)
    {
        byte[] body = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
        var (key, isCreated) = await CreateNewAsync(body, token);
        if (!isCreated)
        {
            return "it refused to create an object that does not exist (If-None-Match: * on a new key)";
        }

        // Of an answer that was lost the object itself tells.
        if (await _patience.UntilAnsweredAsync(() => _storage.TryCreateAsync(key, new([1, 2, 3]), token)))
        {
            return "it let an object be created twice. It ignores If-None-Match: * on PUT, without which several brokers could each believe to own the cluster";
        }

        if (await _patience.UntilAnsweredAsync(() => _storage.GetAsync(key, token)) is not { } found || !found.AsSpan().SequenceEqual(body))
        {
            return "what was written does not read back, or a refused create changed it";
        }

        var part = new byte[100];
        if (await _patience.UntilAnsweredAsync(() => _storage.ReadAsync(key, 950, part, token)) != 50 || !part.AsSpan(0, 50).SequenceEqual(body.AsSpan(950)))
        {
            return "a ranged read returns something else than the range";
        }

        var folder = key[..(key.LastIndexOf('/') + 1)];
        var raced = folder + "b";
        return await FindBrokenRaceAsync(raced, token)
            ?? await FindBrokenListAsync(folder, [new(key, body.Length), new(raced, 1)], token)
            ?? await FindBrokenDeleteAsync(token);
    }

    private async ValueTask<string?> FindBrokenRaceAsync(string key, CancellationToken token)
    {
        _keys.Add(key);
        var racers = await Task.WhenAll(Enumerable.Range(0, Racers).Select(i => RaceAsync(key, (byte)i, token)));
        var winners = racers.Count(racer => racer.HasWon);
        var stored = await _patience.UntilAnsweredAsync(() => _storage.GetAsync(key, token));

        // A winner whose answer was lost is refused when it asks again: then its byte is there.
        var isWonOnce = stored is [var winner] && winner < Racers && (winners == 1 ? racers[winner].HasWon : winners == 0 && racers[winner].MayHaveWon);
        return isWonOnce ? null : $"{winners} of {Racers} creates of one key at the same time succeeded, and it must be one";
    }

    private async Task<(bool HasWon, bool MayHaveWon)> RaceAsync(string key, byte number, CancellationToken token)
    {
        var attempts = 0;
        var hasWon = await _patience.UntilAnsweredAsync(
            () =>
            {
                attempts++;
                return _storage.TryCreateAsync(key, new([number]), token);
            });
        return (hasWon, attempts > 1);
    }

    private async ValueTask<string?> FindBrokenListAsync(string folder, ObjectEntry[] expected, CancellationToken token)
    {
        var all = await _patience.UntilAnsweredAsync(() => _storage.ListAsync(folder, null, 10, token));
        var rest = await _patience.UntilAnsweredAsync(() => _storage.ListAsync(folder, expected[0].Key, 10, token));
        return all.SequenceEqual(expected) && rest.SequenceEqual(expected[1..])
            ? null
            : "a list does not show what was just written, in order and from a key on";
    }

    // An object of its own, created in one attempt: a second one that was not answered could still bring it back.
    private async ValueTask<string?> FindBrokenDeleteAsync(CancellationToken token)
    {
        var (key, _) = await CreateNewAsync([1], token);
        await DeleteAsync([key], token);
        var folder = key[..(key.LastIndexOf('/') + 1)];
        return await _patience.UntilAnsweredAsync(() => _storage.GetAsync(key, token)) is not null
            || (await _patience.UntilAnsweredAsync(() => _storage.ListAsync(folder, null, 10, token))).Count > 0
                ? "a deleted object is still there"
                : null;
    }

    /// <summary>Creates an object under a key that nobody has ever named; another one for each attempt.</summary>
    private async ValueTask<(string Key, bool IsCreated)> CreateNewAsync(byte[] body, CancellationToken token)
    {
        var key = "";
        var isCreated = await _patience.UntilAnsweredAsync(
            () =>
            {
                key = $"{Prefix}{_runtime.NewId().ToString("N", CultureInfo.InvariantCulture)}/a";
                _keys.Add(key);
                return _storage.TryCreateAsync(key, new ReadOnlySequence<byte>(body), token);
            });
        return (key, isCreated);
    }

    private async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => await _patience.UntilAnsweredAsync(
        async () =>
        {
            await _storage.DeleteAsync(keys, token);
            return true;
        });

    /// <returns>What to say of what is left behind; nothing if nothing is.</returns>
    private async ValueTask<string> TryDeleteAllAsync(CancellationToken token, CancellationToken caller)
    {
        try
        {
            await _storage.DeleteAsync(_keys, token);
            return "";
        }
        catch (ObjectStorageException failure)
        {
            return $" (objects of the probe may be left below {Prefix}: {failure.Message})";
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            // Patience is at its end, and what was asked is answered: that counts.
            return $" (objects of the probe may be left below {Prefix})";
        }
    }
}
