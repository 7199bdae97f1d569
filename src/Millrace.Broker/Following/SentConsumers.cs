using Millrace.Network.Access;

namespace Millrace.Broker.Following;

/// <summary>
/// Remembers for a minute which consumers were sent to a broker of their rack: who comes back before that was not served there, and is served here for the
/// rest of it. So none goes to and fro between a leader and a broker that does not serve it, since it has just died, or knows another leader, or has too much.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="time">The node's.</param>
internal sealed class SentConsumers(TimeProvider time)
{
    // librdkafka takes two orders within a minute for one too many, and waits for half a second.
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(65);

    // A few megabytes. Beyond them consumers are served here.
    private const int Most = 50_000;

    private readonly Lock _lock = new();
    private readonly HashSet<(ClientConnection, Guid, int)> _sent = [];
    private readonly Queue<((ClientConnection, Guid, int) Consumer, long At)> _order = new();

    /// <summary>Whether a consumer may be sent away now; then it is taken for sent.</summary>
    public bool TrySend(ClientConnection connection, Guid topic, int partition)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At, now) > Remembered)
            {
                _sent.Remove(oldest.Consumer);
                _order.Dequeue();
            }

            if (_sent.Count >= Most || !_sent.Add((connection, topic, partition)))
            {
                return false;
            }

            _order.Enqueue(((connection, topic, partition), now));
            return true;
        }
    }
}
