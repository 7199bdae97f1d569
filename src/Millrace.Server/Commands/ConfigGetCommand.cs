using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config get [KEY]… [--broker ID]… [--all]</c></summary>
[Example("millrace config get", "What is set otherwise than by default")]
[Example("millrace config get num.partitions message.max.bytes", "These, set or not")]
internal sealed class ConfigGetCommand : ClientCommand
{
    private readonly Argument<string[]> _keys = new("key") { Description = "The configs to show; if not given, those that are set" };

    private readonly BrokerOption _brokers = new();

    private readonly Option<bool> _all = new("--all") { Description = "Show defaults too" };

    public ConfigGetCommand()
        : base("get", "Show configs of brokers, and where their values come from")
    {
        Arguments.Add(_keys);
        Options.Add(_brokers);
        Options.Add(_all);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var keys = result.GetValue(_keys) ?? [];
        var report = new Report("Node", "Config", "Value", "Source", "Read only");
        foreach (var broker in await _brokers.FindAsync(admin, result, Client.Timeout(result)))
        {
            // Each broker answers for itself alone.
            var described = await admin.DescribeConfigsAsync([broker], new DescribeConfigsOptions { RequestTimeout = Client.Timeout(result) });
            var entries = described[0].Entries;
            ConfigNames.Check(keys, entries.Keys, ResourceType.Broker);
            foreach (var entry in entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                if (keys.Length > 0 ? keys.Contains(entry.Name) : result.GetValue(_all) || !entry.IsDefault)
                {
                    report.Add(int.Parse(broker.Name), entry.Name, entry.IsSensitive ? null : entry.Value, entry.Source.ToString(), entry.IsReadOnly);
                }
            }
        }

        report.Write(Client.Json(result));
        if (report.IsEmpty)
        {
            Messages.Note(Client.Json(result), "Everything is as by default; --all shows it.");
        }

        return ExitCode.Success;
    }
}
