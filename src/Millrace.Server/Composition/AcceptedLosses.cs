using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>What the operator gives up by name (<c>--accept-loss</c>): ids of WALs, topics, and single partitions as a start writes them.</summary>
internal sealed class AcceptedLosses(IReadOnlyList<string> names)
{
    /// <summary>Everything that only this WAL holds.</summary>
    public bool Includes(Guid wal) => names.Any(name => IsWal(name, wal));

    /// <summary>What the WAL holds of this stream.</summary>
    public bool Includes(WaitingStream stream) =>
        names.Contains(stream.ToString(), StringComparer.Ordinal)
        || (stream.Topic is { } topic && names.Contains(topic, StringComparer.Ordinal));

    /// <summary>
    /// Refuses a name of nothing, before anything is given up: with a typing error, what was meant would go on waiting, and nobody would
    /// know why. A topic that does not wait is no error: a start may be repeated as it was.
    /// </summary>
    /// <exception cref="SettingsException">Neither a WAL, a topic nor a partition has the name.</exception>
    public void Check(MetadataImage image, IReadOnlyList<WaitingWal> waiting)
    {
        if (names.Count == 0)
        {
            return;
        }

        var streams = waiting.SelectMany(wal => wal.Streams).ToList();
        string[] known =
        [
            .. streams.Select(stream => stream.Topic).OfType<string>().Distinct(),
            .. streams.Select(stream => stream.ToString()),
            .. image.Wals.Keys.Select(wal => wal.ToString()),
            .. image.Topics.Keys,
        ];
        if (names.FirstOrDefault(name => !known.Contains(name) && !IsPartition(image, name) && !image.Wals.Keys.Any(wal => IsWal(name, wal)))
            is { } unknown)
        {
            throw new SettingsException(
                $"--accept-loss {unknown}: no WAL, topic or TOPIC-PARTITION is called so (any more), and nothing was given up."
                + Suggestion.Question(unknown, known));
        }
    }

    private static bool IsWal(string name, Guid wal) => Guid.TryParse(name, out var id) && id == wal;

    private static bool IsPartition(MetadataImage image, string name)
    {
        var at = name.LastIndexOf('-');
        return at > 0 && image.TryGetTopic(name[..at], out var topic)
            && int.TryParse(name[(at + 1)..], out var number) && topic.FindPartition(number) is not null;
    }
}
