using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;
using Millrace.Streams.Wal.Inspection;

namespace Millrace.Server.Commands;

/// <summary><c>millrace wal format</c>: empties a device.</summary>
[Example("millrace wal format /dev/disk/by-id/nvme-one --yes", "Whatever it holds is lost; the next broker that names it takes it")]
internal sealed class WalFormatCommand : Command
{
    private readonly Argument<string> _device = DeviceTask.Argument();
    private readonly Option<bool> _yes = new("--yes") { Description = "What it holds may be lost" };
    private readonly JsonOption _json = new();

    public WalFormatCommand()
        : base("format", "Empty a device, so that a broker takes it for its WALs. What only a WAL on it holds is lost")
    {
        Arguments.Add(_device);
        Options.Add(_yes);
        Options.Add(_json);
        SetAction((result, token) => DeviceTask.RunAsync(result.GetValue(_device)!, result.GetValue(_json), async device =>
        {
            var found = await device.InspectAsync(token);
            if (found.Content != DeviceContent.Nothing && !result.GetValue(_yes))
            {
                throw new CommandFailedException(
                    ExitCode.Usage,
                    $"{found.Path} holds {Say(found)}. 'millrace cluster health' tells which WALs are waited for; --yes empties it.");
            }

            await device.FormatAsync(token);
            new Report("Device", "Held").Add(found.Path, Say(found)).Write(result.GetValue(_json));
        }));
    }

    private static string Say(DeviceInspection found) => found.Content switch
    {
        DeviceContent.Nothing => "nothing",
        DeviceContent.Wals => $"WALs of node {found.Node} of cluster {found.Cluster}",
        DeviceContent.UnreadableLabel => "a label that this program cannot read",
        DeviceContent.SomethingElse => "something that is not Millrace's",
    };
}
