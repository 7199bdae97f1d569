using System.CommandLine;

namespace Millrace.Server.Cli.Brokers;

/// <summary>Which broker a command is about: one that is named, or the one that the command reaches (<c>--self</c>), as on the broker's own machine.</summary>
internal sealed class BrokerChoice
{
    private readonly BrokerArgument _named;
    private readonly Option<bool> _self = new("--self") { Description = "The broker that answers at the bootstrap address" };

    public BrokerChoice(ClientOptions client, Command command)
    {
        _named = new BrokerArgument(client) { Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(_named);
        command.Options.Add(_self);
    }

    /// <exception cref="CommandFailedException">None is named, or both ways are; or there is none of that name.</exception>
    public BrokerView FindIn(ClusterView cluster, ParseResult result)
    {
        var name = result.GetValue(_named);
        if ((name is null) != result.GetValue(_self))
        {
            throw new CommandFailedException(ExitCode.Usage, "Name a broker by its id or name, or say --self.");
        }

        if (name is not null)
        {
            return cluster.Find(name);
        }

        return cluster.AnsweredBy is { } self
            ? cluster.Brokers.Single(broker => broker.Id == self)
            : throw new CommandFailedException(
                ExitCode.Failed, "The broker does not say which one it is, or connections are encrypted: by those it cannot be asked. Name it.");
    }
}
