using Millrace.Runtime;

namespace Millrace.Streams.Compaction;

/// <summary>Keeps work to so many bytes a second. Threading: one caller at a time.</summary>
internal sealed class BytePace(NodeRuntime runtime, long bytesPerSecond)
{
    private TimeSpan _owed;
    private long _since = runtime.Time.GetTimestamp();

    /// <summary>Ends when so many bytes more are allowed: what was taken before has taken its time. Time in which nothing was taken is not saved up.</summary>
    public async ValueTask TakeAsync(long bytes, CancellationToken token)
    {
        var elapsed = runtime.Time.GetElapsedTime(_since);
        if (_owed > elapsed)
        {
            await Task.Delay(_owed - elapsed, runtime.Time, token);
        }

        _since = runtime.Time.GetTimestamp();
        _owed = TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
    }
}
