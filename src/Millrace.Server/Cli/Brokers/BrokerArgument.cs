using System.CommandLine;
using Millrace.Server.Cli.Completion;

namespace Millrace.Server.Cli.Brokers;

/// <summary>Which broker a command is about: its id, or the name that it has for good.</summary>
internal sealed class BrokerArgument : Argument<string>
{
    /// <param name="client">Leads to the broker that completion asks.</param>
    public BrokerArgument(ClientOptions client)
        : base("broker")
    {
        Description = "The broker's id or name";
        CompletionSources.AddBrokers(client);
    }

    /// <exception cref="CommandFailedException">There is none of that id or name.</exception>
    public BrokerView FindIn(ClusterView cluster, ParseResult result) => cluster.Find(result.GetValue(this)!);
}
