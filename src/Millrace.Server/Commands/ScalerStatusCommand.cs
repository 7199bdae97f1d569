using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;
using Millrace.Server.Options;

namespace Millrace.Server.Commands;

/// <summary><c>millrace scaler status</c></summary>
[Example("millrace scaler status", "Its mode, how many brokers it wants and why, and how the last run of its command has ended")]
internal sealed class ScalerStatusCommand : ClientCommand
{
    public ScalerStatusCommand()
        : base("status", "Show how many brokers there are and should be")
    {
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var scaler = await ScalerView.AskAsync(Client.Config(result), Client.Timeout(result), token);
        new Report("Mode", "Controller", "Current", "Desired", "Min", "Max", "Victim", "Victim leads", "Why", "Command", "Last run", "Told", "Ended")
            .Add(
                scaler.Mode, scaler.ControllerId, scaler.Current, scaler.Desired < 0 ? null : scaler.Desired, scaler.Min, scaler.Max,
                scaler.Victim < 0 ? null : scaler.Victim, scaler.Victim < 0 ? null : scaler.VictimLeads, scaler.Why, scaler.HasCommand,
                scaler.Run is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(scaler.Run.At).ToString("u"),
                scaler.Run is null ? null : ScalerView.Told(scaler.Run), scaler.Run is null ? null : ScalerView.Ended(scaler.Run))
            .Write(Client.Json(result));
        if (scaler is { Mode: "on", HasCommand: false })
        {
            Messages.Note(
                Client.Json(result), $"Nothing comes of it: broker {scaler.ControllerId}, the controller, has no {ServerSettings.ScalerCommand}.");
        }

        return ExitCode.Success;
    }
}
