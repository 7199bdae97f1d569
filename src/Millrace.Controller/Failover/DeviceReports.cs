using Millrace.Controller.Clients;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Controller.Failover;

/// <summary>
/// Tells the controller, while an incarnation lives, of devices that come: one that is attached to its host, or that its node has only just made, lets it take
/// over WALs at once.
/// </summary>
/// <param name="runtime">Of the incarnation.</param>
/// <param name="nodes">The way to the controller.</param>
/// <param name="self">The incarnation.</param>
/// <param name="devices">Was looked at when it registered.</param>
public sealed class DeviceReports(NodeRuntime runtime, NodeRegistry nodes, NodeIncarnation self, BlockDevices devices)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <param name="registered">What the controller was told when it registered.</param>
    /// <param name="token">Ends it.</param>
    /// <exception cref="StreamException">Fenced.</exception>
    public async Task RunAsync(IReadOnlyList<string> registered, CancellationToken token)
    {
        var told = registered.ToHashSet();
        while (true)
        {
            await Task.Delay(Interval, runtime.Time, token);
            var found = await devices.LookAgainAsync(token);
            if (told.SetEquals(found))
            {
                continue;
            }

            try
            {
                await nodes.ReportDevicesAsync(self, found, token);
                told = [.. found];
            }
            catch (StreamException busy) when (busy.Error == StreamError.StorageUnavailable)
            {
                // Too much waits at the controller just now: it is told the next time.
            }
        }
    }
}
