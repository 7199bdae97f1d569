using Millrace.Network.Access;

namespace Millrace.Cluster.Liveness;

/// <summary>What a controller knows of the life of one incarnation of another node.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class NodeSession
{
    private readonly Lock _lock = new();
    private TimeSpan _grantedAt;
    private TimeSpan _receivedAt;
    private bool _isCondemned;
    private bool _isEnding;

    /// <param name="since">As if it had been heard then, by the clock of the sessions.</param>
    public NodeSession(TimeSpan since) => _grantedAt = _receivedAt = since;

    /// <summary>The connection that its last heartbeat came by.</summary>
    public ClientConnection? Connection { get; set; }

    /// <summary>That connection has ended; or the one did by which this node followed it, when it was the controller.</summary>
    public bool HasLostConnection { get; set; }

    /// <summary>It sent its last heartbeat then or later: a timestamp of this process; 0 while that is not known.</summary>
    public long SentAfter { get; private set; }

    /// <summary>How long it had waited for the store when it was heard last.</summary>
    public TimeSpan Stalled { get; private set; }

    /// <summary>It is heard, and given up all the same when the lease has ended that it was granted last.</summary>
    public bool IsCondemned
    {
        get
        {
            lock (_lock)
            {
                return _isCondemned;
            }
        }

        set
        {
            lock (_lock)
            {
                _isCondemned = value;
            }
        }
    }

    /// <summary>A heartbeat has come.</summary>
    /// <returns>Whether a lease may be granted in answer: then the session is longer than that.</returns>
    public bool Hear(TimeSpan now, long sentAfter, TimeSpan stalled)
    {
        lock (_lock)
        {
            (SentAfter, Stalled, _receivedAt) = (sentAfter, stalled, now);
            if (_isCondemned || _isEnding)
            {
                return false;
            }

            _grantedAt = now > _grantedAt ? now : _grantedAt;
            return true;
        }
    }

    /// <summary>How long ago its last heartbeat came, whatever was granted.</summary>
    public TimeSpan ReceivedAgo(TimeSpan now)
    {
        lock (_lock)
        {
            return now - _receivedAt;
        }
    }

    /// <summary>How long it has been silent; of one that is condemned, how long it was granted nothing.</summary>
    public TimeSpan SilenceAt(TimeSpan now)
    {
        lock (_lock)
        {
            return now - _grantedAt;
        }
    }

    /// <summary>It is given up, unless it was heard meanwhile: from now on it is granted nothing.</summary>
    public bool TryEnd(TimeSpan now, TimeSpan silence)
    {
        lock (_lock)
        {
            _isEnding |= now - _grantedAt >= silence;
            return _isEnding;
        }
    }

    /// <summary>It is given up, whatever was heard.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isEnding = true;
        }
    }

    /// <summary>It was not given up.</summary>
    public void GoOn()
    {
        lock (_lock)
        {
            _isEnding = false;
        }
    }
}
