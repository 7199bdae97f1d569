using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary>Deletes what it is given the names of, and lists it.</summary>
internal abstract class DeleteCommand : ClientCommand
{
    private readonly string _kind;

    /// <param name="kind">The heading of the list.</param>
    /// <param name="description">What the command does.</param>
    /// <param name="named">What the names stand for.</param>
    protected DeleteCommand(string kind, string description, string named)
        : base("delete", description)
    {
        _kind = kind;
        Names = new("name") { Description = named, Arity = ArgumentArity.OneOrMore };
        Arguments.Add(Names);
    }

    protected Argument<string[]> Names { get; }

    protected abstract Task DeleteAsync(IAdminClient admin, IList<string> names, TimeSpan timeout);

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var names = result.GetValue(Names)!;
        await DeleteAsync(admin, names, Client.Timeout(result));
        var report = new Report(_kind, "Deleted");
        foreach (var name in names)
        {
            report.Add(name, true);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
