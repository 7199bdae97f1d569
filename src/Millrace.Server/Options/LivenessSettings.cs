using System.Globalization;
using Millrace.Cluster;

namespace Millrace.Server.Options;

/// <summary>By what times nodes judge one another, and which of them fit together.</summary>
internal static class LivenessSettings
{
    /// <summary>
    /// A node's lease is to be over before its partitions are given away, even where its clock is this much slow and the controller's this much fast.
    /// </summary>
    private const double ClockError = 0.09;

    private const int HeartbeatsInLease = 4;

    /// <exception cref="SettingsException">
    /// A node would answer reads when another one may already acknowledge writes, or lose its lease all the time.
    /// </exception>
    public static ClusterOptions Read(NodeSettings settings)
    {
        var options = new ClusterOptions
        {
            HeartbeatInterval = settings[ServerSettings.HeartbeatInterval].AsMilliseconds(),
            LeaseTime = settings[ServerSettings.Lease].AsMilliseconds(),
            FenceTime = settings[ServerSettings.Fence].AsMilliseconds(),
            SuspicionTime = settings[ServerSettings.ControllerSuspicion].AsMilliseconds(),
        };
        var longest = options.FenceTime * ((1 - ClockError) / (1 + ClockError));
        if (options.LeaseTime > longest)
        {
            var shortest = options.LeaseTime * ((1 + ClockError) / (1 - ClockError)) + TimeSpan.FromMilliseconds(1);
            throw new SettingsException(
                $"{ServerSettings.Lease} is {Milliseconds(options.LeaseTime)} and {ServerSettings.Fence} is {Milliseconds(options.FenceTime)}: a node would " +
                $"answer reads when another one may already have taken its partitions over. Set {ServerSettings.Lease} to {Milliseconds(longest)} at most, " +
                $"or {ServerSettings.Fence} to {Milliseconds(shortest)} at least, on all nodes.");
        }

        if (options.HeartbeatInterval * HeartbeatsInLease > options.LeaseTime)
        {
            throw new SettingsException(
                $"{ServerSettings.HeartbeatInterval} is {Milliseconds(options.HeartbeatInterval)} and {ServerSettings.Lease} is " +
                $"{Milliseconds(options.LeaseTime)}: a heartbeat or two that are late would end the lease. Set {ServerSettings.HeartbeatInterval} to " +
                $"{Milliseconds(options.LeaseTime / HeartbeatsInLease)} at most.");
        }

        return options;
    }

    private static string Milliseconds(TimeSpan time) => Math.Floor(time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
