using System.Buffers;
using System.Diagnostics.Metrics;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Another store, with each call counted and timed by operation and outcome, and its troubles told to the log. It changes nothing: results,
/// failures and their order are the other store's. Disposing it disposes that one.
/// </summary>
public sealed class MeasuredObjectStorage : IObjectStorage
{
    // From a local disk's best to the longest that a store is waited for.
    private static readonly InstrumentAdvice<double> DurationBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private readonly NodeRuntime _runtime;
    private readonly IObjectStorage _inner;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _written;
    private readonly Counter<long> _read;
    private readonly StoreWatch _watch;

    public MeasuredObjectStorage(NodeRuntime runtime, IObjectStorage inner)
    {
        (_runtime, _inner, _watch) = (runtime, inner, new StoreWatch(runtime, inner.Name));
        _watch.Start();
        _duration = Meter.CreateHistogram(
            "millrace.object.store.duration", "s", "Calls to the object store, by operation and outcome", tags: null, DurationBuckets);
        _written = Meter.CreateCounter<long>("millrace.object.store.written", "By", "Bytes of objects written");
        _read = Meter.CreateCounter<long>("millrace.object.store.read", "By", "Bytes of objects read");
    }

    /// <summary>What measures; for those who listen to this store alone.</summary>
    internal Meter Meter { get; } = new("Millrace.ObjectStorage");

    public string Name => _inner.Name;

    public StoreTrouble? Trouble => _watch.Trouble;

    public async ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var created = await MeasureAsync(
            "create", key, body.Length, () => _inner.TryCreateAsync(key, body, token), static created => created ? "ok" : "exists");
        _written.Add(created ? body.Length : 0);
        return created;
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        await MeasureAsync("put", key, body.Length, () => _inner.PutAsync(key, body, token));
        _written.Add(body.Length);
    }

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        var body = await MeasureAsync("get", key, CallLimit.UnknownBody, () => _inner.GetAsync(key, token), static body => body is null ? "absent" : "ok");
        _read.Add(body?.Length ?? 0);
        return body;
    }

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        var count = await MeasureAsync(
            "read",
            key,
            destination.Length,
            () => _inner.ReadAsync(key, position, destination, token),
            static count => count < 0 ? "absent" : "ok");
        _read.Add(Math.Max(0, count));
        return count;
    }

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        MeasureAsync("list", prefix, 0, () => _inner.ListAsync(prefix, startAfter, limit, token), static _ => "ok");

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) =>
        MeasureAsync("delete", keys.Count > 0 ? keys[0] : "", 0, () => _inner.DeleteAsync(keys, token));

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        MeasureAsync("list_uploads", prefix, 0, () => _inner.ListUnfinishedUploadsAsync(prefix, token), static _ => "ok");

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) =>
        MeasureAsync("abort_upload", upload.Key, 0, () => _inner.AbortUploadAsync(upload, token));

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        await _inner.DisposeAsync();
        Meter.Dispose();
    }

    private async ValueTask MeasureAsync(string operation, string key, long bytes, Func<ValueTask> call) =>
        await MeasureAsync(
            operation,
            key,
            bytes,
            async () =>
            {
                await call();
                return true;
            },
            static _ => "ok");

    private async ValueTask<T> MeasureAsync<T>(string operation, string key, long bytes, Func<ValueTask<T>> call, Func<T, string> outcomeOf)
    {
        var started = _runtime.Time.GetTimestamp();
        var outcome = "failed";
        var isAnswered = false;
        ObjectStorageException? refusal = null;
        var watched = _watch.Begin(operation, key, bytes);
        try
        {
            var result = await call();
            isAnswered = true;
            outcome = outcomeOf(result);
            return result;
        }
        catch (ObjectStorageException failure)
        {
            outcome = NameOf(failure.Error);
            refusal = failure;
            throw;
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            _watch.End(watched, isAnswered, refusal);
            _duration.Record(
                _runtime.Time.GetElapsedTime(started).TotalSeconds,
                KeyValuePair.Create("operation", (object?)operation),
                KeyValuePair.Create("outcome", (object?)outcome));
        }
    }

    private static string NameOf(ObjectStorageError error) => error switch
    {
        ObjectStorageError.Transient => "transient",
        ObjectStorageError.AccessDenied => "access_denied",
        ObjectStorageError.Invalid => "invalid",
    };
}
