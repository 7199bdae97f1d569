using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace wal release</c>: takes the reservations of a device away.</summary>
[Example("millrace wal release /dev/disk/by-id/nvme-one --yes", "No host is kept from writing it any more")]
internal sealed class WalReleaseCommand : Command
{
    private readonly Argument<string> _device = DeviceTask.Argument();
    private readonly Option<bool> _yes = new("--yes") { Description = "No broker that writes it lives" };

    public WalReleaseCommand()
        : base(
            "release",
            "Take all reservations of a device away, for another use of it. Brokers take a device from each other by themselves: this is not needed for that")
    {
        Arguments.Add(_device);
        Options.Add(_yes);
        SetAction((result, token) => DeviceTask.RunAsync(result.GetValue(_device)!, json: false, async device =>
        {
            var found = await device.InspectAsync(token);
            if (found.Holder is { } holder && !result.GetValue(_yes))
            {
                throw new CommandFailedException(
                    ExitCode.Usage, $"{found.Path} is reserved by {holder}, which may be writing it. Stop that, and say so with --yes.");
            }

            await device.ReleaseAsync(token);
            new Report("Device", "Reserved by").Add(found.Path, found.Holder).Write(json: false);
        }));
    }
}
