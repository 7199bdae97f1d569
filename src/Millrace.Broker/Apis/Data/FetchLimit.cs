using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Apis.Data;

/// <summary>How much a fetch may be answered with: what the client asks for, at most <c>fetch.max.bytes</c>, and as memory permits.</summary>
/// <remarks>
/// An answer is copied to its connection and stays there until the client has taken it, and a client decides how slowly it does that. So
/// answers live on what the caches leave of their memory, by what all buffers take, whoever holds them. Who comes when little
/// is left gets little and asks again; nobody is refused.
/// Threading: any thread.
/// </remarks>
/// <param name="identity">This broker, with its settings.</param>
/// <param name="feed">Tells what the cluster's settings are.</param>
/// <param name="buffers">The node's.</param>
/// <param name="memoryBytes">Above this nobody gets more than the least. Bytes.</param>
internal sealed class FetchLimit(BrokerIdentity identity, IMetadataFeed feed, BufferPool buffers, long memoryBytes)
{
    /// <summary>What everybody gets who asks for it: most batches still come several at a time. A larger batch comes alone.</summary>
    public const int LeastBytes = 64 << 10;

    // Others come too, and large pieces gain a client nothing.
    private const int ShareOfWhatIsLeft = 8;

    private readonly Lock _lock = new();

    // Not settable at run time, so it is looked up once.
    private readonly int _maxBytes =
        identity.Configs.Broker(feed.Image, BrokerConfigs.FetchMaxBytes).AsInt();

    private long _granted;

    /// <summary>Takes room for an answer, until it is written: from then on it is the connection's buffers that count.</summary>
    /// <param name="wantedBytes">As the client says.</param>
    /// <returns>The bytes it may have, to be given back.</returns>
    public int Take(int wantedBytes)
    {
        lock (_lock)
        {
            var left = memoryBytes - buffers.RentedBytes - buffers.IdleBytes - _granted;
            var bytes = (int)Math.Clamp(Math.Max(LeastBytes, left / ShareOfWhatIsLeft), 0, Math.Max(0, Math.Min(wantedBytes, _maxBytes)));
            _granted += bytes;
            return bytes;
        }
    }

    /// <summary>Gives back what was taken and is not needed; takes more, if negative, for a batch that has come alone and is larger.</summary>
    public void GiveBack(long bytes)
    {
        lock (_lock)
        {
            _granted -= bytes;
        }
    }
}
