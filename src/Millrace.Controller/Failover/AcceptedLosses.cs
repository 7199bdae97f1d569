using Microsoft.Extensions.Logging;
using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Failover;

/// <summary>
/// What the operator gives up of WALs that are gone (<c>--accept-loss</c>), by name: a WAL's id, for everything that only it holds; a topic; or a
/// partition, as the log names what waits. Nothing else is ever given up.
/// </summary>
/// <param name="runtime">Of the incarnation that recovers.</param>
/// <param name="nodes">Gives it up.</param>
/// <param name="self">The incarnation that recovers.</param>
/// <param name="names">As the operator wrote them.</param>
public sealed class AcceptedLosses(
    NodeRuntime runtime, NodeRegistry nodes, NodeIncarnation self, IReadOnlyList<string> names)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<AcceptedLosses>();

    /// <summary>Whether anything is given up, if it cannot be recovered.</summary>
    public bool IsEmpty => names.Count == 0;

    /// <summary>Gives up what is named of what waits for a WAL, and says of the rest what it waits for.</summary>
    /// <param name="walId">The WAL.</param>
    /// <param name="isMeant">Which of what waits for it cannot be recovered.</param>
    /// <param name="reason">Why.</param>
    /// <param name="advice">What else can be done: the beginning of a sentence that goes on with "up what is missing".</param>
    /// <param name="token">Ends the wait.</param>
    public async Task GiveUpOrWaitAsync(Guid walId, Func<WaitingStream, bool> isMeant, string reason, string advice, CancellationToken token)
    {
        var waiting = (await nodes.GetWaitingWalsAsync(token)).FirstOrDefault(waiting => waiting.Wal.Id == walId);
        if (waiting?.Streams.Where(isMeant).ToList() is not { Count: > 0 } lacking)
        {
            return;
        }

        var wal = waiting.Wal;
        var all = names.Any(name => IsWal(name, wal.Id));
        var named = lacking.Where(stream => all || IsNamed(stream)).ToList();
        if (named.Count > 0)
        {
            var lost = await nodes.AcceptLossAsync(self, wal.Id, named.Select(stream => stream.Stream).ToHashSet(), token);
            FailoverMessages.LossAccepted(_logger, string.Join(", ", lost), wal.Id);
        }

        var left = lacking.Except(named).ToList();
        if (left.Count > 0)
        {
            FailoverMessages.WalMissing(
                _logger,
                wal.Id,
                wal.Node,
                wal.Epoch,
                reason,
                string.Join(", ", left),
                $"{advice} up what is missing with --accept-loss {wal.Id} (all), or by topic or TOPIC-PARTITION.");
        }
    }

    /// <summary>
    /// A name of nothing, for refusing it before anything is given up: with a typing error, what was meant would go on waiting, and nobody would
    /// know why. A topic that does not wait is no error: a start may be repeated as it was.
    /// </summary>
    /// <returns>The name, and those that there are; null if each is of a WAL, a topic or a partition.</returns>
    public (string Name, IReadOnlyList<string> Known)? FindUnknown(MetadataImage image, IReadOnlyList<WaitingWal> waiting)
    {
        if (names.Count == 0)
        {
            return null;
        }

        var streams = waiting.SelectMany(wal => wal.Streams).ToList();
        string[] known =
        [
            .. streams.Select(stream => stream.Topic).OfType<string>().Distinct(),
            .. streams.Select(stream => stream.ToString()),
            .. image.Wals.Keys.Select(wal => wal.ToString()),
            .. image.Topics.Keys,
        ];
        var unknown = names.FirstOrDefault(
            name => !known.Contains(name) && !IsPartition(image, name) && !image.Wals.Keys.Any(wal => IsWal(name, wal)));
        return unknown is null ? null : (unknown, known);
    }

    private static bool IsWal(string name, Guid wal) => Guid.TryParse(name, out var id) && id == wal;

    private static bool IsPartition(MetadataImage image, string name)
    {
        var at = name.LastIndexOf('-');
        return at > 0 && image.TryGetTopic(name[..at], out var topic)
            && int.TryParse(name[(at + 1)..], out var number) && topic.FindPartition(number) is not null;
    }

    private bool IsNamed(WaitingStream stream) =>
        names.Contains(stream.ToString(), StringComparer.Ordinal)
        || (stream.Topic is { } topic && names.Contains(topic, StringComparer.Ordinal));
}
