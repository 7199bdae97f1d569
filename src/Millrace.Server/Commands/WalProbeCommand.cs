using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace wal probe</c>: what a device can do, and how fast.</summary>
[Example("millrace wal probe /dev/disk/by-id/nvme-one", "Before it is given to a broker: writes are measured where it holds nothing")]
internal sealed class WalProbeCommand : Command
{
    private readonly Argument<string> _device = DeviceTask.Argument();
    private readonly JsonOption _json = new();

    public WalProbeCommand()
        : base(
            "probe",
            "Measure what a device takes for what a WAL asks of it, in microseconds (slow: one in a hundred takes longer). "
            + "Where it holds something, it is only read")
    {
        Arguments.Add(_device);
        Options.Add(_json);
        SetAction((result, token) => DeviceTask.RunAsync(result.GetValue(_device)!, result.GetValue(_json), async (device, probe) =>
        {
            var found = await device.InspectAsync(token);
            var speed = await probe.MeasureAsync(found, token);
            new Report(
                    "Device", "Bytes", "Logical sector", "Physical sector", "Name", "Reservations", "Read", "Slow read", "Write", "Slow write",
                    "Flush", "Slow flush", "Write bytes per second")
                .Add(
                    found.Path, found.Bytes, found.Device?.LogicalSector, found.Device?.PhysicalSector, found.Device?.WorldWideId, found.HasReservations,
                    Micros(speed.Read.Half), Micros(speed.Read.All99), Micros(speed.Write?.Half), Micros(speed.Write?.All99), Micros(speed.Flush?.Half),
                    Micros(speed.Flush?.All99), speed.BytesPerSecond is { } rate ? (long)rate : null)
                .Write(result.GetValue(_json));
        }));
    }

    private static JsonNode? Micros(TimeSpan? time) => time is { } taken ? (long)taken.TotalMicroseconds : null;
}
