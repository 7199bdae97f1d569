using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;
using Millrace.Streams.Wal.Inspection;

namespace Millrace.Server.Commands;

/// <summary><c>millrace wal inspect</c>: what a device is, and holds.</summary>
[Example("millrace wal inspect /dev/disk/by-id/nvme-one --json", "For a script")]
internal sealed class WalInspectCommand : Command
{
    private readonly Argument<string> _device = DeviceTask.Argument();
    private readonly JsonOption _json = new();

    public WalInspectCommand()
        : base("inspect", "Tell what a device is, who has it reserved, and whose WALs it holds. Nothing is written, and a broker may be using it")
    {
        Arguments.Add(_device);
        Options.Add(_json);
        SetAction((result, token) => DeviceTask.RunAsync(
            result.GetValue(_device)!, result.GetValue(_json), async device => Write(await device.InspectAsync(token), result.GetValue(_json))));
    }

    private static void Write(DeviceInspection found, bool json)
    {
        var report = new Report(
            "Device", "Bytes", "Sector", "Name", "Reservations", "Reserved by", "Holds", "Cluster", "Node", "Half", "Wal", "Epoch", "Sealed");
        foreach (var wal in found.Wals.Cast<FoundWal?>().DefaultIfEmpty())
        {
            report.Add(
                found.Path, found.Bytes, found.Device?.LogicalSector, found.Device?.WorldWideId, found.HasReservations, found.Holder, Say(found.Content),
                found.Cluster, (wal?.Node ?? found.Node)?.Value, wal?.Half, wal?.Id.ToString(), wal?.Epoch.Value, wal?.IsSealed);
        }

        report.Write(json);
    }

    private static string Say(DeviceContent content) => content switch
    {
        DeviceContent.Nothing => "nothing",
        DeviceContent.Wals => "wals",
        DeviceContent.UnreadableLabel => "unreadable-label",
        DeviceContent.SomethingElse => "something-else",
    };
}
