using Confluent.Kafka;

namespace Millrace.Server.Cli.Brokers;

/// <summary>What a broker leads, and is to lead, as the cluster's metadata has it.</summary>
/// <param name="admin">Asks for that.</param>
/// <param name="broker">The broker.</param>
/// <param name="patience">How long an answer may take.</param>
internal sealed class BrokerLoad(IAdminClient admin, int broker, TimeSpan patience)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(3);

    public int Broker => broker;

    /// <summary>How many partitions it leads.</summary>
    public int Leads() => Count(partition => partition.Leader == broker);

    /// <summary>How many partitions others lead, though it is their preferred leader.</summary>
    public int Misses() => Count(partition =>
        partition.Leader >= 0 && partition.Leader != broker && partition.Replicas is [var preferred, ..] && preferred == broker);

    /// <summary>Looks again and again until nothing is left.</summary>
    /// <param name="left">What is counted.</param>
    /// <param name="limit">For all of it.</param>
    /// <param name="say">Hears now and then how far it is.</param>
    /// <param name="token">Ends it.</param>
    /// <returns>False when the time is up.</returns>
    public async Task<bool> WaitAsync(Func<BrokerLoad, int> left, TimeSpan limit, Action<string> say, CancellationToken token)
    {
        var began = CommandClock.Time.GetTimestamp();
        var said = began;
        for (var pause = FirstPause; left(this) is > 0 and var count; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (CommandClock.Time.GetElapsedTime(began) + pause > limit)
            {
                return false;
            }

            if (CommandClock.Time.GetElapsedTime(said) > SayEvery)
            {
                said = CommandClock.Time.GetTimestamp();
                say($"{count} partitions are still to be handed over.");
            }

            await Task.Delay(pause, CommandClock.Time, token);
        }

        return true;
    }

    private int Count(Func<PartitionMetadata, bool> isMeant) =>
        admin.GetMetadata(patience).Topics.Sum(topic => topic.Partitions.Count(isMeant));
}
