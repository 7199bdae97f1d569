using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace balancer status</c></summary>
[Example("millrace balancer status", "Its mode, how much it has moved, and why it does not look at present")]
internal sealed class BalancerStatusCommand : ClientCommand
{
    public BalancerStatusCommand()
        : base("status", "Show whether the cluster evens its loads by itself")
    {
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var balancer = await BalancerView.AskAsync(Client.Config(result), preview: false, Client.Timeout(result), token);
        var last = balancer.Actions.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(balancer.Actions[^1].At).ToString("u");
        new Report("Mode", "Controller", "Moves", "Last", "Waits for")
            .Add(balancer.Mode, balancer.ControllerId, balancer.Actions.Count(action => action.IsBegun), last, balancer.Waits)
            .Write(Client.Json(result));
        return ExitCode.Success;
    }
}
