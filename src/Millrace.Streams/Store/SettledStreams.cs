using Millrace.Streams.State;

namespace Millrace.Streams.Store;

/// <summary>
/// Streams that have ended, and of which nobody will ever ask for what the WALs have: has them give it up, also where nothing else lies in the same WAL, whose
/// uploads would do so. What they had appended, and waits for room in a full WAL, gets it by that, and leaves it again.
/// </summary>
/// <remarks>Threading: any thread. One task works for all of them, and ends with the last.</remarks>
/// <param name="trim">What has a WAL give something up.</param>
/// <param name="time">For the pauses.</param>
/// <param name="spawn">Starts something that ends with the store.</param>
internal sealed class SettledStreams(WalTrim trim, TimeProvider time, Action<string, Func<CancellationToken, Task>> spawn)
{
    // What waits for room in a full WAL gets some by each trim, and is written in a few of these.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly Lock _lock = new();
    private readonly List<StreamCore> _settled = [];
    private bool _works;

    /// <param name="stream">Lost, and nobody will ask for its records.</param>
    public void Add(StreamCore stream)
    {
        lock (_lock)
        {
            _settled.Add(stream);
            if (_works)
            {
                return;
            }

            _works = true;
        }

        spawn("stream-settled", RunAsync);
    }

    private async Task RunAsync(CancellationToken token)
    {
        while (true)
        {
            List<StreamCore> settled;
            lock (_lock)
            {
                settled = [.. _settled];
            }

            // Before the trim: what leaves meanwhile may be durable, and not trimmed.
            var over = settled.Where(stream => stream.IsOver).ToHashSet();
            foreach (var ofWal in settled.GroupBy(stream => stream.Wal))
            {
                await trim.TrimAsync(ofWal.Key, ofWal.Max(stream => stream.LastPosition), token);
            }

            lock (_lock)
            {
                _settled.RemoveAll(over.Contains);
                if (_settled.Count == 0)
                {
                    _works = false;
                    return;
                }
            }

            await Task.Delay(Pause, time, token);
        }
    }
}
