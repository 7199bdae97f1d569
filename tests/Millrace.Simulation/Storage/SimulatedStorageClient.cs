using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Storage;

/// <summary>One node's way to the bucket.</summary>
public sealed class SimulatedStorageClient(SimulatedBucket bucket, Lane lane) : IObjectStorage
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LatestArrival = TimeSpan.FromSeconds(60);
    private readonly HashSet<string> _answersLost = new(StringComparer.Ordinal);

    public string Name => "simulated:";

    /// <summary>This node alone cannot reach the bucket.</summary>
    public bool IsCutOff { get; set; }

    private SimulationKernel Kernel => bucket.Kernel;

    public async ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var bytes = body.ToArray();
        return await CallAsync(
            $"create {key}",
            key,
            pending =>
            {
                CheckUnchanged(key, body, bytes, pending);
                return bucket.TryCreate(key, bytes);
            },
            token);
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var bytes = body.ToArray();
        await CallAsync(
            $"put {key}",
            key,
            pending =>
            {
                CheckUnchanged(key, body, bytes, pending);
                bucket.Put(key, bytes);
                return true;
            },
            token);
    }

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        NoteReadBack(key);
        return await CallAsync($"get {key}", null, _ => bucket.Peek(key)?.ToArray(), token);
    }

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        NoteReadBack(key);
        var bytes = await CallAsync($"read {key}", null, _ => bucket.Peek(key), token);
        if (bytes is null)
        {
            return -1;
        }

        var begin = (int)Math.Min(position, bytes.Length);
        var count = Math.Min(destination.Length, bytes.Length - begin);
        bytes.AsSpan(begin, count).CopyTo(destination.Span);
        return count;
    }

    public async ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        await CallAsync($"list {prefix}", null, _ => bucket.List(prefix, startAfter, limit), token);

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        string[] condemned = [.. keys];
        // A failing batch may have got anywhere.
        var reached = Kernel.Random.Next(condemned.Length + 1);
        await CallAsync(
            "delete",
            condemned.FirstOrDefault(),
            pending =>
            {
                foreach (var key in pending ? condemned : condemned.AsSpan(0, reached))
                {
                    bucket.Delete(key);
                }

                return true;
            },
            token);
    }

    public async ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        await CallAsync<UnfinishedUpload[]>($"list uploads {prefix}", null, _ => [], token);

    public async ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) =>
        await CallAsync("abort upload", null, _ => true, token);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // 'apply' runs in the bucket, and is told whether the caller is still waiting.
    private Task<T> CallAsync<T>(string what, string? writes, Func<bool, T> apply, CancellationToken token)
    {
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(token);
        }

        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var registration = token.UnsafeRegister(_ => answer.TrySetCanceled(token), null);
        var random = Kernel.Random;
        var arrival = random.Latency(bucket.Weather.Latency / 2);
        var back = random.Latency(bucket.Weather.Latency / 2);
        var silence = arrival + random.Between(TimeSpan.FromMilliseconds(100), LongestSilence);
        var fate = Draw(writes is not null);
        if (fate != CallFate.Done)
        {
            Kernel.Coverage.Count($"storage: {fate}");
            Kernel.Coverage.Count(CoverageNames.Faults);
        }

        switch (fate)
        {
            case CallFate.Done:
                Later(arrival, () =>
                {
                    var result = apply(!answer.Task.IsCompleted);
                    Later(back, () => answer.TrySetResult(result));
                });
                break;
            case CallFate.Refused:
                Later(arrival + back, () => Fail(answer, $"{what}: 503 or 409"));
                break;
            case CallFate.RequestLost:
                Later(silence, () => Fail(answer, $"{what}: connection reset"));
                break;
            case CallFate.AnswerLost:
                if (writes is not null)
                {
                    _answersLost.Add(writes);
                }

                Later(arrival, () => apply(!answer.Task.IsCompleted));
                Later(silence, () => Fail(answer, $"{what}: connection reset"));
                break;
            case CallFate.Late:
                var late = silence + random.Between(TimeSpan.Zero, LatestArrival);
                Later(silence, () => Fail(answer, $"{what}: timeout"));
                Later(late, () => apply(false));
                break;
        }

        return AwaitAsync(answer.Task, registration);
    }

    private static async Task<T> AwaitAsync<T>(Task<T> answer, CancellationTokenRegistration registration)
    {
        try
        {
            return await answer;
        }
        finally
        {
            registration.Unregister();
        }
    }

    private CallFate Draw(bool isWrite)
    {
        var weather = bucket.Weather;
        if (IsCutOff || bucket.IsDown)
        {
            return CallFate.RequestLost;
        }

        var lot = Kernel.Random.NextDouble();
        if ((lot -= weather.Refused) < 0)
        {
            return CallFate.Refused;
        }

        if ((lot -= weather.RequestLost) < 0)
        {
            return CallFate.RequestLost;
        }

        if ((lot -= weather.AnswerLost) < 0)
        {
            return CallFate.AnswerLost;
        }

        return isWrite && lot - weather.Late < 0 ? CallFate.Late : CallFate.Done;
    }

    private void Later(TimeSpan delay, Action action) => Kernel.At(Kernel.Now + delay, Kernel.World, action);

    private static void Fail<T>(TaskCompletionSource<T> answer, string message) =>
        answer.TrySetException(new ObjectStorageException(ObjectStorageError.Transient, message));

    private void NoteReadBack(string key)
    {
        if (_answersLost.Remove(key) && bucket.Peek(key) is not null)
        {
            Kernel.Coverage.Count("storage: own lost answer read back");
        }
    }

    private void CheckUnchanged(string key, ReadOnlySequence<byte> body, byte[] copy, bool pending)
    {
        if (pending && !lane.Dead && !body.ToArray().AsSpan().SequenceEqual(copy))
        {
            Kernel.Fail(new InvalidOperationException($"The body of {key} changed while it was being written"));
        }
    }
}
