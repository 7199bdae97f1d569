using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Cli;

/// <summary>Which brokers a command is about: those that are named, or all of the cluster.</summary>
/// <remarks>Librdkafka knows no resource without a name, which stands for the cluster's defaults: so all means each that is there.</remarks>
internal sealed class BrokerOption : Option<int[]>
{
    public BrokerOption()
        : base("--broker")
    {
        Description = "Only this broker, by its id; every broker there is if not given; may be repeated";
        HelpName = "ID";
    }

    /// <summary>In the order of their ids.</summary>
    /// <exception cref="CommandFailedException">One that is named is not there.</exception>
    public async Task<IReadOnlyList<ConfigResource>> FindAsync(IAdminClient admin, ParseResult result, TimeSpan timeout)
    {
        var cluster = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = timeout });
        var there = cluster.Nodes.Select(node => node.Id).Order().ToList();
        var named = result.GetValue(this) ?? [];
        foreach (var missing in named.Except(there).Take(1))
        {
            throw new CommandFailedException(ExitCode.NotFound, $"There is no broker {missing}; there is {string.Join(", ", there)}.");
        }

        return
        [
            .. there.Where(id => named.Length == 0 || named.Contains(id))
                .Select(id => new ConfigResource { Type = ResourceType.Broker, Name = $"{id}" }),
        ];
    }
}
