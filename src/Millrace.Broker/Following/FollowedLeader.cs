using Millrace.Metadata.Image;

namespace Millrace.Broker.Following;

/// <summary>One leadership of a followed partition, as an image of the cluster has it, for as long as it is the newest.</summary>
/// <param name="address">Where other nodes reach it; null while nobody who can be reached leads it.</param>
/// <param name="epoch">Its leader epoch.</param>
internal sealed class FollowedLeader(PeerAddress? address, int epoch)
{
    private readonly CancellationTokenSource _ended = new();

    public PeerAddress? Address => address;

    public int Epoch => epoch;

    /// <summary>Cancelled when another has come after it.</summary>
    public CancellationToken Ended => _ended.Token;

    public bool Is(FollowedLeader other) => Address == other.Address && Epoch == other.Epoch;

    public void End() => _ended.Cancel();
}
