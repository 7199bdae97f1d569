namespace Millrace.Broker.Apis.Data;

/// <summary>Room that a fetch has for its answer, until the answer is written: from then on it is the connection's buffers that count.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class FetchGrant : IDisposable
{
    private readonly FetchLimit _limit;
    private readonly int _wantedBytes;
    private long _taken;

    internal FetchGrant(FetchLimit limit, int wantedBytes)
    {
        (_limit, _wantedBytes) = (limit, wantedBytes);
        Renew();
    }

    /// <summary>What the answer may have.</summary>
    public int Bytes { get; private set; }

    /// <summary>Takes room anew, as there is some now.</summary>
    public void Renew()
    {
        Keep(0);
        _taken = Bytes = _limit.Take(_wantedBytes);
    }

    /// <summary>Gives back all but what the answer takes.</summary>
    public void Keep(long bytes)
    {
        _limit.GiveBack(_taken - bytes);
        _taken = bytes;
    }

    public void Dispose() => Keep(0);
}
