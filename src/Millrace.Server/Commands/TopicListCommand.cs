using System.CommandLine;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic list</c></summary>
internal sealed class TopicListCommand : ClientCommand
{
    private readonly Option<bool> _internal = new("--internal") { Description = "Show internal topics too" };

    public TopicListCommand()
        : base("list", "List topics") => Options.Add(_internal);

    protected override Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var metadata = admin.GetMetadata(Client.Timeout(result));
        var report = new Report("Topic", "Partitions", "Replicas");
        var topics = metadata.Topics
            .Where(topic => result.GetValue(_internal) || !topic.Topic.StartsWith("__", StringComparison.Ordinal))
            .OrderBy(topic => topic.Topic, StringComparer.Ordinal);
        foreach (var topic in topics)
        {
            report.Add(topic.Topic, topic.Partitions.Count, topic.Partitions.Count == 0 ? 0 : topic.Partitions[0].Replicas.Length);
        }

        report.Write(Client.Json(result));
        return Task.FromResult(ExitCode.Success);
    }
}
