using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker describe ID|NAME</c></summary>
[Example("millrace broker describe 2", "By its id")]
[Example("millrace broker describe kafka-2:9092", "By the name that it was started with (--name), or has by itself: host and port")]
internal sealed class BrokerDescribeCommand : ClientCommand
{
    private readonly BrokerArgument _broker;

    public BrokerDescribeCommand()
        : base("describe", "Show a broker: where it is, what runs there, and what waits for it") => Arguments.Add(_broker = new BrokerArgument(Client));

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);
        var broker = _broker.FindIn(cluster, result);
        var wals = cluster.WaitingWals?.Where(wal => wal.Node == broker.Id).Select(wal => (JsonNode)wal.Id.ToString());
        new Report("Node", "Name", "State", "Host", "Port", "Rack", "Controller", "Duty", "Epoch", "Internal", "Program", "Wals", "Waiting wals")
            .Add(
                broker.Id, broker.Name, broker.State, broker.Host, broker.Port, broker.Rack, broker.Id == cluster.Controller,
                broker.DutyInWords, broker.Epoch, broker.Internal, broker.Program,
                broker.Wals is { } own ? new JsonArray([.. own.Select(wal => (JsonNode)wal)]) : null, wals is null ? null : new JsonArray([.. wals]))
            .Write(Client.Json(result));
        return ExitCode.Success;
    }
}
