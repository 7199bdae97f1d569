using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary>Changes configs of brokers, and lists what they are set to.</summary>
internal abstract class ConfigChangeCommand : ClientCommand
{
    private readonly BrokerOption _brokers = new();

    protected ConfigChangeCommand(string name, string description)
        : base(name, description) => Options.Add(_brokers);

    protected abstract IReadOnlyList<ConfigEntry> Changes(ParseResult result);

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var changes = Changes(result);
        using var admin = Client.Admin(result);
        var brokers = await _brokers.FindAsync(admin, result, Client.Timeout(result));
        foreach (var broker in brokers)
        {
            await ConfigNames.CheckAsync(admin, broker, changes.Select(change => change.Name), Client.Timeout(result));
        }

        // What one broker refuses is not done on the others either.
        foreach (var validateOnly in new[] { true, false })
        {
            foreach (var broker in brokers)
            {
                await admin.IncrementalAlterConfigsAsync(
                    new() { [broker] = [.. changes] },
                    new IncrementalAlterConfigsOptions { RequestTimeout = Client.Timeout(result), ValidateOnly = validateOnly });
            }
        }

        var report = new Report("Node", "Config", "Value");
        foreach (var broker in brokers)
        {
            foreach (var change in changes)
            {
                report.Add(int.Parse(broker.Name), change.Name, change.Value);
            }
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
