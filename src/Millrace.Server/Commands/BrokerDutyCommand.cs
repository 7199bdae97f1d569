using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Millrace.Server.Commands;

/// <summary>Changes what a broker is there for, by a config of its own; the cluster keeps that, also while the broker is away.</summary>
internal abstract class BrokerDutyCommand : ClientCommand
{
    private readonly BrokerChoice _broker;
    private readonly (string Name, string? Value) _config;

    /// <param name="name">The command's.</param>
    /// <param name="description">For its help.</param>
    /// <param name="config">The config, and its value; null to unset it.</param>
    protected BrokerDutyCommand(string name, string description, (string Name, string? Value) config)
        : base(name, description)
    {
        _broker = new BrokerChoice(Client, this);
        _config = config;
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var broker = _broker.FindIn(await ClusterView.AskAsync(admin, Client, result, token), result);
        await (broker.State == BrokerView.Live ? AlterAsync(admin, broker, result) : AlterElsewhereAsync(broker, result, token));
        return await FollowAsync(new BrokerLoad(admin, broker.Id, Client.Timeout(result)), result, token);
    }

    /// <summary>The change has been made: waits for what follows from it, and reports.</summary>
    protected abstract Task<int> FollowAsync(BrokerLoad load, ParseResult result, CancellationToken token);

    private async Task AlterAsync(IAdminClient admin, BrokerView broker, ParseResult result)
    {
        var change = _config.Value is null
            ? new ConfigEntry { Name = _config.Name, IncrementalOperation = AlterConfigOpType.Delete }
            : new ConfigEntry { Name = _config.Name, Value = _config.Value, IncrementalOperation = AlterConfigOpType.Set };
        await admin.IncrementalAlterConfigsAsync(
            new() { [new ConfigResource { Type = ResourceType.Broker, Name = $"{broker.Id}" }] = [change] },
            new IncrementalAlterConfigsOptions { RequestTimeout = Client.Timeout(result) });
    }

    /// <summary>The client library asks the very broker, which is away; any other does as well.</summary>
    private async Task AlterElsewhereAsync(BrokerView broker, ParseResult result, CancellationToken token)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)ConfigResourceType.Broker,
                    ResourceName = $"{broker.Id}",
                    Configs =
                    [
                        new()
                        {
                            Name = _config.Name,
                            ConfigOperation = (sbyte)(_config.Value is null ? ConfigOperation.Delete : ConfigOperation.Set),
                            Value = _config.Value,
                        },
                    ],
                },
            ],
        };
        var answer = await DirectQuestion.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            Client.Config(result), request, Client.Timeout(result), token)
            ?? throw new CommandFailedException(ExitCode.Failed, "The broker is away, and connections are encrypted: by those no other can be asked for it.");
        if (answer.Responses[0] is { ErrorCode: not 0 } refused)
        {
            throw new KafkaException(new Error((ErrorCode)refused.ErrorCode, refused.ErrorMessage));
        }
    }

    /// <summary>Reports, without a wait.</summary>
    protected int Write(BrokerLoad load, BrokerDuty duty, ParseResult result)
    {
        new Report("Node", "Duty", "Leads").Add(load.Broker, BrokerView.InWords(duty), load.Leads()).Write(Client.Json(result));
        return ExitCode.Success;
    }

    /// <summary>Waits until nothing is left to move, reports, and says what is left if the time is up.</summary>
    protected async Task<int> WaitAsync(
        BrokerLoad load, BrokerDuty duty, Func<BrokerLoad, int> left, string unfinished, ParseResult result, CancellationToken token)
    {
        var moved = await load.WaitAsync(left, Client.Timeout(result), line => Messages.Note(Client.Json(result), line), token);
        Write(load, duty, result);
        return moved
            ? ExitCode.Success
            : Messages.Error(Client.Json(result), ExitCode.TimedOut, $"{left(load)} {unfinished}; that goes on. A longer --timeout waits for it.");
    }
}
