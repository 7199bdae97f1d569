using System.Globalization;
using Millrace.Cluster;
using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>By what times nodes judge one another, and which of them fit together.</summary>
internal static class LivenessSettings
{
    private const int HeartbeatsInLease = 4;

    // What is looked at so often is seen well before a lease ends.
    private const int PartsOfLease = 5;

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
            ProbeTime = settings[ServerSettings.NodeProbe].AsMilliseconds(),
            StallTime = settings[ServerSettings.StoreStall].AsMilliseconds(),
            StrangerWait = settings[ServerSettings.StrangerWait].AsMilliseconds(),
            CandidacyStep = settings[ServerSettings.CandidacyStep].AsMilliseconds(),
            PollTime = settings[ServerSettings.MetadataPoll].AsMilliseconds(),
        };
        var times = new NodeTimes(options.LeaseTime, options.FenceTime);
        if (!times.Fits(times))
        {
            throw new SettingsException(
                $"{ServerSettings.Lease} is {Milliseconds(options.LeaseTime)} and {ServerSettings.Fence} is {Milliseconds(options.FenceTime)}: a node would " +
                $"answer reads when another one may already have taken its partitions over. Set {ServerSettings.Lease} to " +
                $"{Milliseconds(times.LongestLease)} at most, or {ServerSettings.Fence} to {Milliseconds(times.ShortestFence)} at least, on all nodes.");
        }

        if (options.HeartbeatInterval * HeartbeatsInLease > options.LeaseTime)
        {
            throw new SettingsException(
                $"{ServerSettings.HeartbeatInterval} is {Milliseconds(options.HeartbeatInterval)} and {ServerSettings.Lease} is " +
                $"{Milliseconds(options.LeaseTime)}: a heartbeat or two that are late would end the lease. Set {ServerSettings.HeartbeatInterval} to " +
                $"{Milliseconds(options.LeaseTime / HeartbeatsInLease)} at most.");
        }

        RequireAtMost(ServerSettings.NodeProbe, options.ProbeTime, ServerSettings.Lease, options.LeaseTime / PartsOfLease);
        var looks = settings[ServerSettings.OwnershipInterval].AsMilliseconds();
        RequireAtMost(ServerSettings.OwnershipInterval, looks, ServerSettings.Lease, options.LeaseTime / PartsOfLease);
        RequireAtMost(ServerSettings.MetadataPoll, options.PollTime, ServerSettings.ControllerSuspicion, options.SuspicionTime / 2);
        return options;
    }

    private static void RequireAtMost(string key, TimeSpan set, string limitedBy, TimeSpan limit)
    {
        if (set > limit)
        {
            throw new SettingsException($"{key} is {Milliseconds(set)}: set it to {Milliseconds(limit)} at most, or {limitedBy} higher.");
        }
    }

    private static string Milliseconds(TimeSpan time) => Math.Floor(time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
