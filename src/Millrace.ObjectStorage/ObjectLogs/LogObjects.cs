using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// The objects of one log in a store: the one way to create them, and reads that are repeated until the store answers.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class LogObjects(NodeRuntime runtime, IObjectStorage storage, string prefix, ObjectLogOptions options, LogRules rules)
{
    // The put id stands at the same place in every format of the log.
    private const int PutIdPosition = 24;
    private const int PutIdEnd = PutIdPosition + 16;

    // Whoever is slow is given so many times what it took of late.
    private const int Slack = 3;

    // A longer one would be above every limit.
    private const int MostDoublings = 10;

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ObjectLog>();

    // How long answers take, without what their bodies may: goes up at once, and down slowly. In ticks of TimeSpan.
    private long _answeredIn;

    public LogKeys Keys { get; } = new(prefix);

    public ObjectLogOptions Options => options;

    public LogRules Rules => rules;

    public NodeRuntime Runtime => runtime;

    public ILogger Logger => _logger;

    public string Prefix => prefix;

    /// <summary>Creates an object, and does not end before it is known how that went. Nothing else writes to the log.</summary>
    /// <remarks>
    /// It has a loop of its own, since an answer, too, may be followed by another attempt (a refusal that nothing bears out), and no failure ends it:
    /// whatever the store says, the outcome of an attempt that was made is unknown until the object is read back.
    /// </remarks>
    /// <param name="key">Where.</param>
    /// <param name="place">The place that the key stands for, to compare with the boundary.</param>
    /// <param name="body">Stays unchanged until the create is settled.</param>
    /// <param name="token">Ends the attempts; the outcome is then unknown for ever, and the number must not be used again.</param>
    public async ValueTask<CreateOutcome> CreateAsync(string key, LogPlace place, LogBody body, CancellationToken token)
    {
        var pauses = new BackOff(runtime, options.FirstBackOff, options.LongestBackOff);
        for (var attempt = 1; ; attempt++)
        {
            var refused = false;
            Exception? trouble = null;
            try
            {
                if (await AttemptAsync(timeout => storage.TryCreateAsync(key, body.Bytes, timeout), key, body.Bytes.Length, attempt, token))
                {
                    return CreateOutcome.Mine;
                }

                refused = true;
            }
            catch (ObjectStorageException unknown)
            {
                trouble = unknown;
            }

            if (rules.ReadsBackWhatRefused)
            {
                try
                {
                    if (await ReadPutIdAsync(key, attempt, token) is { } found)
                    {
                        return found == body.PutId ? CreateOutcome.Mine : CreateOutcome.Taken;
                    }

                    if (refused && await AttemptAsync(ReadBoundaryOnceAsync, Keys.Markers, length: 0, attempt, token) > place)
                    {
                        return CreateOutcome.Gone;
                    }
                }
                catch (ObjectStorageException unread)
                {
                    trouble ??= unread;
                }
            }
            else if (refused)
            {
                return CreateOutcome.Taken;
            }

            if (trouble is not null)
            {
                ObjectLogMessages.CreateUnknown(_logger, key, attempt, trouble);
            }

            await pauses.PauseAsync(token);
            body = rules.BodyForRetry(place, body);
        }
    }

    /// <summary>The object at a place, or null if there is none at this moment.</summary>
    /// <param name="place">Where.</param>
    /// <param name="whole">With its payload.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="ObjectLogException">Corrupt.</exception>
    public async ValueTask<LogObject?> GetAsync(LogPlace place, bool whole, CancellationToken token)
    {
        var key = Keys.Object(place);
        var bytes = whole
            ? await RepeatAsync(timeout => storage.GetAsync(key, timeout), key, CallLimit.UnknownBody, token)
            : await RepeatAsync(timeout => ReadHeaderAsync(key, timeout), key, length: 0, token);
        if (bytes is null)
        {
            return null;
        }

        var found = LogObjectFormat.Read(bytes, whole)
            ?? throw new ObjectLogException(ObjectLogError.Corrupt, $"{storage.Name}: {key} {LogObjectFormat.Describe(bytes)}");
        return found.Place == place
            ? found
            : throw new ObjectLogException(
                ObjectLogError.Corrupt, $"{storage.Name}: {key} was written as another one, at {found.Place}: somebody has copied it here");
    }

    /// <summary>Nothing below is part of the log any more.</summary>
    public ValueTask<LogPlace> BoundaryAsync(CancellationToken token) =>
        RepeatAsync(ReadBoundaryOnceAsync, Keys.Markers, length: 0, token);

    /// <summary>The objects whose keys begin with a prefix, after one of them.</summary>
    public IAsyncEnumerable<IReadOnlyList<ObjectEntry>> ListPagesAsync(string keys, string? startAfter, CancellationToken token) => ObjectPages.ReadAsync(
        after => RepeatAsync(timeout => storage.ListAsync(keys, after, ObjectPages.Size, timeout), keys, length: 0, token), startAfter);

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        if (keys.Count > 0)
        {
            await RepeatAsync(
                async timeout =>
                {
                    await storage.DeleteAsync(keys, timeout);
                    return true;
                },
                keys[0],
                length: 0,
                token);
        }
    }

    private async ValueTask<byte[]?> ReadHeaderAsync(string key, CancellationToken token)
    {
        var header = new byte[LogObjectFormat.HeaderSize];
        var count = await storage.ReadAsync(key, 0, header, token);
        return count < 0 ? null : header[..count];
    }

    private async ValueTask<Guid?> ReadPutIdAsync(string key, int attempt, CancellationToken token)
    {
        var start = new byte[PutIdEnd];
        var count = await AttemptAsync(timeout => storage.ReadAsync(key, 0, start, timeout), key, length: 0, attempt, token);
        // Whatever is too short to carry an id is not ours.
        return count < 0 ? null : count < PutIdEnd ? Guid.Empty : new Guid(start.AsSpan(PutIdPosition), bigEndian: true);
    }

    private async ValueTask<LogPlace> ReadBoundaryOnceAsync(CancellationToken token)
    {
        var markers = await storage.ListAsync(Keys.Markers, startAfter: null, limit: 1, token);
        return markers.Count == 0
            ? LogPlace.Start
            : Keys.MarkerPlace(markers[0].Key) ??
                throw new ObjectLogException(ObjectLogError.Corrupt, $"{storage.Name}: {markers[0].Key} is no marker of this log");
    }

    // A request that takes too long has failed, with its outcome unknown.
    private async ValueTask<T> AttemptAsync<T>(
        Func<CancellationToken, ValueTask<T>> request, string key, long length, int attempt, CancellationToken token)
    {
        var limit = LimitOf(length, attempt);
        using var timeout = new CancellationTokenSource(limit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
        var begun = runtime.Time.GetTimestamp();
        try
        {
            var answer = await request(either.Token);
            Answered(runtime.Time.GetElapsedTime(begun) - CallLimit.For(TimeSpan.Zero, length, attempt: 1));
            return answer;
        }
        catch (OperationCanceledException late) when (timeout.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw new ObjectStorageException(ObjectStorageError.Transient, $"{storage.Name}: no answer about {key} within {limit.TotalSeconds:0} s", late);
        }
    }

    // Of several at the same time one may be passed over: the next one counts.
    private void Answered(TimeSpan after)
    {
        var before = Volatile.Read(ref _answeredIn);
        Volatile.Write(ref _answeredIn, Math.Max(after.Ticks, before - before / 8));
    }

    private TimeSpan LimitOf(long length, int attempt)
    {
        var usual = TimeSpan.FromTicks(Volatile.Read(ref _answeredIn)) * Slack;
        var limit = (usual > options.FirstTimeout ? usual : options.FirstTimeout) * (1 << Math.Min(attempt - 1, MostDoublings));
        return CallLimit.For(limit < options.RequestTimeout ? limit : options.RequestTimeout, length, attempt);
    }

    private ValueTask<T> RepeatAsync<T>(Func<CancellationToken, ValueTask<T>> request, string key, long length, CancellationToken token)
    {
        var retry = new StoreRetry(runtime, options.FirstBackOff, options.LongestBackOff)
        {
            Failed = (failure, attempt) => ObjectLogMessages.ReadFailed(_logger, key, attempt, failure),
        };
        return retry.UntilAnsweredAsync(attempt => AttemptAsync(request, key, length, attempt, token), token);
    }
}
