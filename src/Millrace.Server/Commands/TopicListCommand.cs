using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic list [PATTERN]…</c></summary>
[Example("millrace topic list", "All but internal ones")]
[Example("millrace topic list \"orders-*\" \"*-dead-letters\"", "Those that are called so")]
internal sealed class TopicListCommand : ClientCommand
{
    private const string Everything = "*";

    private readonly Argument<string[]> _patterns = new("pattern")
    {
        Description = "Only topics that are called so: * stands for any characters, ? for one; all if not given",
    };

    private readonly InternalTopicsOption _internal = new();

    public TopicListCommand()
        : base("list", "List topics")
    {
        _patterns.CompletionSources.AddTopics(Client);
        Arguments.Add(_patterns);
        Options.Add(_internal);
    }

    protected override Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var metadata = admin.GetMetadata(Client.Timeout(result));
        var patterns = result.GetValue(_patterns) is { Length: > 0 } given ? given : [Everything];
        var report = new Report("Topic", "Partitions", "Replicas");
        var topics = metadata.Topics
            .Where(topic => patterns.Any(pattern => NamePattern.Matches(pattern, topic.Topic) && _internal.Shows(result, topic.Topic, pattern)))
            .OrderBy(topic => topic.Topic, StringComparer.Ordinal);
        foreach (var topic in topics)
        {
            report.Add(topic.Topic, topic.Partitions.Count, topic.Partitions.Count == 0 ? 0 : topic.Partitions[0].Replicas.Length);
        }

        report.Write(Client.Json(result));
        if (report.IsEmpty && !patterns.Contains(Everything))
        {
            Messages.Note(Client.Json(result), $"No topic is called {string.Join(" or ", patterns)}.");
        }

        return Task.FromResult(ExitCode.Success);
    }
}
