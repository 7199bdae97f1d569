namespace Millrace.Server.Cli.Diagnosis;

/// <summary>
/// Looks at the broker while a command gets nowhere, and says once what is wrong and once that it is over: a wait whose reason nobody
/// tells looks like a hang. As long as there is progress it looks at nothing.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class BrokerWatch : IAsyncDisposable
{
    // Long enough that a command which works says nothing, and short enough that nobody has begun to wonder.
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _time;
    private readonly BrokerInquiry _inquiry;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _watching;
    private volatile Finding? _trouble;
    private long _troubleSince;
    private long _progress;

    /// <param name="time">Sets the pace.</param>
    /// <param name="inquiry">Used by nobody else meanwhile.</param>
    /// <param name="say">Takes a line for the user.</param>
    public BrokerWatch(TimeProvider time, BrokerInquiry inquiry, Action<string> say)
    {
        (_time, _inquiry, _say) = (time, inquiry, say);
        _watching = WatchAsync(_ended.Token);
    }

    /// <summary>Something was read, written or acknowledged. Called for each record.</summary>
    public void Progressed() => Volatile.Write(ref _progress, _progress + 1);

    /// <summary>What has been wrong for at least so long, and still is; null if nothing.</summary>
    public Finding? TroubleFor(TimeSpan time) =>
        _trouble is { } trouble && _time.GetElapsedTime(Interlocked.Read(ref _troubleSince)) >= time ? trouble : null;

    public async ValueTask DisposeAsync()
    {
        _ended.Cancel();
        await _watching;
        _ended.Dispose();
    }

    private async Task WatchAsync(CancellationToken token)
    {
        try
        {
            for (var seen = 0L; ;)
            {
                var before = _time.GetTimestamp();
                await Task.Delay(Pace, _time, token);
                var progress = Volatile.Read(ref _progress);
                Note(progress != seen ? null : await _inquiry.LookAsync(Pace, token), before);
                seen = progress;
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The command has ended.
        }
    }

    private void Note(Finding? finding, long since)
    {
        var trouble = finding is { IsWell: false } ? finding : null;
        if (trouble?.Kind == _trouble?.Kind)
        {
            return;
        }

        if (trouble is null)
        {
            _say($"{_inquiry.Address} works again.");
        }
        else
        {
            _say($"{trouble.Words}. Waiting.");
            Interlocked.Exchange(ref _troubleSince, since);
        }

        _trouble = trouble;
    }
}
