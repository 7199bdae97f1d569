using System.CommandLine;
using Confluent.Kafka;
using Millrace.Protocol;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker remove ID|NAME</c></summary>
[Example("millrace broker remove 3", "The cluster forgets it: tools see no broker that is away, and no partition under-replicated for it")]
internal sealed class BrokerRemoveCommand : ClientCommand
{
    private readonly BrokerArgument _broker;

    public BrokerRemoveCommand()
        : base("remove", "Have the cluster forget a broker that is away and will not come back") => Arguments.Add(_broker = new BrokerArgument(Client));

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var broker = _broker.FindIn(await ClusterView.AskAsync(admin, Client, result, token), result);
        var answer = await DirectQuestion.AskAsync<UnregisterBrokerRequest, UnregisterBrokerResponse>(
            Client.Config(result), new UnregisterBrokerRequest { BrokerId = broker.Id }, Client.Timeout(result), token)
            ?? throw new CommandFailedException(
                ExitCode.Failed, "No broker takes the request (UnregisterBroker), or connections are encrypted: by those it cannot be asked.");
        if (answer.ErrorCode != 0)
        {
            var error = new Error((ErrorCode)answer.ErrorCode, answer.ErrorMessage);
            throw answer.ErrorMessage is null ? new KafkaException(error) : new CommandFailedException(ExitCode.Failed, answer.ErrorMessage);
        }

        new Report("Node", "Removed").Add(broker.Id, true).Write(Client.Json(result));
        return ExitCode.Success;
    }
}
