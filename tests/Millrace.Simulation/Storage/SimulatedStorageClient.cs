using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Storage;

/// <summary>One node's way to the bucket.</summary>
public sealed class SimulatedStorageClient(SimulatedBucket bucket, Lane lane) : IObjectStorage
{
    // A request or an answer without a body.
    private const long HeaderBytes = 300;

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private const int Again = 3;
    private static readonly TimeSpan LatestArrival = TimeSpan.FromSeconds(60);
    private readonly SimulatedLink _link = new(bucket.Kernel, () => bucket.Weather.BytesPerSecond);
    private readonly HashSet<string> _answersLost = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lost = new(StringComparer.Ordinal);

    public string Name => "simulated:";

    /// <summary>This node alone cannot reach the bucket.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>Its writes do not get there, though its reads do.</summary>
    public bool SwallowsWrites { get; set; }

    /// <summary>When one and the same write got lost for the third time in a row, or more; null if none ever did.</summary>
    public TimeSpan? LostAgainAt { get; private set; }

    private SimulationKernel Kernel => bucket.Kernel;

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var bytes = body.ToArray();
        return CallAsync(
            "create",
            key,
            isWrite: true,
            pending =>
            {
                CheckUnchanged(key, body, bytes, pending);
                return bucket.TryCreate(key, bytes);
            },
            token,
            bodyBytes: bytes.Length);
    }

    public ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var bytes = body.ToArray();
        return WithoutResult(CallAsync(
            "put",
            key,
            isWrite: true,
            pending =>
            {
                CheckUnchanged(key, body, bytes, pending);
                bucket.Put(key, bytes);
                return true;
            },
            token,
            bodyBytes: bytes.Length));
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        NoteReadBack(key);
        return CallAsync("get", key, isWrite: false, _ => bucket.Peek(key)?.ToArray(), token, answerBytes: body => body?.Length ?? 0);
    }

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        NoteReadBack(key);
        return CallAsync(
            "read",
            key,
            isWrite: false,
            pending =>
            {
                if (bucket.Peek(key) is not { } bytes)
                {
                    return -1;
                }

                var begin = (int)Math.Min(position, bytes.Length);
                var count = Math.Min(destination.Length, bytes.Length - begin);
                if (pending)
                {
                    bytes.AsSpan(begin, count).CopyTo(destination.Span);
                }

                return count;
            },
            token,
            answerBytes: count => Math.Max(count, 0));
    }

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        CallAsync<IReadOnlyList<ObjectEntry>>("list", prefix, isWrite: false, _ => bucket.List(prefix, startAfter, limit), token);

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        string[] condemned = [.. keys];
        // A failing batch may have got anywhere.
        var reached = Kernel.Random.Next(condemned.Length + 1);
        return WithoutResult(CallAsync(
            "delete",
            condemned.FirstOrDefault(),
            isWrite: condemned.Length > 0,
            pending =>
            {
                foreach (var key in pending ? condemned : condemned.AsSpan(0, reached))
                {
                    bucket.Delete(key);
                }

                return true;
            },
            token));
    }

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        CallAsync<IReadOnlyList<UnfinishedUpload>>("list uploads", prefix, isWrite: false, _ => [], token);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) =>
        WithoutResult(CallAsync("abort upload", null, isWrite: false, _ => true, token));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static ValueTask WithoutResult(ValueTask<bool> call) => new(call.AsTask());

    // 'apply' runs in the bucket, and is told whether the caller is still waiting.
    private ValueTask<T> CallAsync<T>(
        string verb, string? key, bool isWrite, Func<bool, T> apply, CancellationToken token, long bodyBytes = 0, Func<T, long>? answerBytes = null)
    {
        bucket.Asked?.Invoke(lane.Name, key ?? "");
        if (token.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(token);
        }

        // Handed out as it is: a method that awaited it would throw every failure once more. It completes on the world's lane, from
        // where everything that awaits it is queued on its own; Task.WhenAll would go by way of the thread pool if it were asynchronous.
        var answer = new TaskCompletionSource<T>();
        SimulatedTransfer? transfer = null;
        var registration = token.UnsafeRegister(_ => lane.Post(Cancel), null);
        var random = Kernel.Random;
        var arrival = random.Latency(bucket.Weather.Latency / 2);
        var back = random.Latency(bucket.Weather.Latency / 2);
        var silence = arrival + random.Between(TimeSpan.FromMilliseconds(100), LongestSilence);
        var fate = Draw(isWrite);
        NoteLoss(isWrite, key, fate);
        if (fate != CallFate.Done)
        {
            Kernel.Coverage.Count(NameOf(fate));
            Kernel.Coverage.Count(CoverageNames.Faults);
        }

        switch (fate)
        {
            case CallFate.Done:
                Later(arrival, () => Send(bodyBytes, () =>
                {
                    var result = apply(!answer.Task.IsCompleted);
                    Later(back, () => Send(answerBytes?.Invoke(result) ?? 0, () =>
                    {
                        registration.Unregister();
                        answer.TrySetResult(result);
                    }));
                }));
                break;
            case CallFate.Refused:
                Later(arrival + back, () => Fail("503 or 409"));
                break;
            case CallFate.RequestLost:
                Later(silence, () => Fail("connection reset"));
                break;
            case CallFate.AnswerLost:
                if (isWrite)
                {
                    _answersLost.Add(key!);
                }

                Later(arrival, () => Send(bodyBytes, () => apply(!answer.Task.IsCompleted)));
                Later(silence, () => Fail("connection reset"));
                break;
            case CallFate.Late:
                var late = silence + random.Between(TimeSpan.Zero, LatestArrival);
                Later(silence, () => Fail("timeout"));
                Later(late, () => apply(false));
                break;
        }

        return new ValueTask<T>(answer.Task);

        void Send(long bytes, Action arrived) => transfer = _link.Send(HeaderBytes + bytes, arrived);

        // A body that is still on its way then never arrives whole.
        void Cancel()
        {
            transfer?.GiveUp();
            answer.TrySetCanceled(token);
        }

        void Fail(string how)
        {
            registration.Unregister();
            transfer?.GiveUp();
            if (!answer.Task.IsCompleted)
            {
                answer.SetException(new ObjectStorageException(ObjectStorageError.Transient, $"{verb} {key}: {how}"));
            }
        }
    }

    private static string NameOf(CallFate fate) => fate switch
    {
        CallFate.Done => "storage: Done",
        CallFate.Refused => "storage: Refused",
        CallFate.RequestLost => "storage: RequestLost",
        CallFate.AnswerLost => "storage: AnswerLost",
        CallFate.Late => "storage: Late",
    };

    private CallFate Draw(bool isWrite)
    {
        var weather = bucket.Weather;
        if (IsCutOff || (isWrite && SwallowsWrites) || bucket.IsDown)
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

    private void NoteLoss(bool isWrite, string? key, CallFate fate)
    {
        if (!isWrite)
        {
            return;
        }

        if (fate == CallFate.Done)
        {
            _lost.Remove(key!);
        }
        else if ((_lost[key!] = _lost.GetValueOrDefault(key!) + 1) >= Again)
        {
            LostAgainAt = Kernel.Now;
        }
    }

    private void NoteReadBack(string key)
    {
        if (_answersLost.Remove(key) && bucket.Peek(key) is not null)
        {
            Kernel.Coverage.Count("storage: own lost answer read back");
        }
    }

    private void CheckUnchanged(string key, in ReadOnlySequence<byte> body, ReadOnlySpan<byte> copy, bool pending)
    {
        if (pending && !lane.Dead && !IsSame(body, copy))
        {
            Kernel.Fail(new InvalidOperationException($"The body of {key} changed while it was being written"));
        }
    }

    private static bool IsSame(in ReadOnlySequence<byte> body, ReadOnlySpan<byte> copy)
    {
        foreach (var segment in body)
        {
            if (!copy.StartsWith(segment.Span))
            {
                return false;
            }

            copy = copy[segment.Length..];
        }

        return copy.IsEmpty;
    }
}
