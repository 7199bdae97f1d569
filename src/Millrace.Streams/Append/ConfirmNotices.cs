using Millrace.Streams.State;

namespace Millrace.Streams.Append;

/// <summary>
/// Tells a stream's owner how far its records are durable: one thread at a time, with no lock held, until nothing is left to tell. The owner
/// hears offsets in order, and its locks and ours cannot wait for each other. An owner that throws hears nothing more: its stream is lost.
/// </summary>
internal sealed class ConfirmNotices(StreamCore core)
{
    private bool _telling;

    /// <summary>There is news. Returns whether the caller is to <see cref="Tell"/> it, since nobody else does.</summary>
    /// <remarks>Under the stream's lock.</remarks>
    public bool Begin_NeedsLock()
    {
        if (_telling)
        {
            return false;
        }

        _telling = true;
        return true;
    }

    public void Tell()
    {
        var told = -1L;
        while (true)
        {
            long confirmed;
            lock (core.Lock)
            {
                confirmed = core.Offsets.Confirmed;
                if (confirmed == told)
                {
                    _telling = false;
                    return;
                }
            }

            core.Owner.OnConfirmed(confirmed);
            told = confirmed;
        }
    }
}
