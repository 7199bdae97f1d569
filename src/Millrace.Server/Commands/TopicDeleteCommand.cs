using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic delete NAME…</c></summary>
internal sealed class TopicDeleteCommand : ClientCommand
{
    private readonly Argument<string[]> _names = new("name") { Description = "The topics to delete, with all their records", Arity = ArgumentArity.OneOrMore };

    public TopicDeleteCommand()
        : base("delete", "Delete topics") => Arguments.Add(_names);

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var names = result.GetValue(_names)!;
        await admin.DeleteTopicsAsync(names, new DeleteTopicsOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Topic", "Deleted");
        foreach (var name in names)
        {
            report.Add(name, true);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
