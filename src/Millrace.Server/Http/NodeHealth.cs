using Millrace.Metadata.Image;
using Millrace.ObjectStorage;

namespace Millrace.Server.Http;

/// <summary>What probes are told of a node. Threading: any thread.</summary>
/// <remarks>
/// Healthy is whoever is not helped by a restart; ready is who can do what clients ask for. A store that does not work makes a node not ready,
/// since sooner or later everything waits for it. Partitions without a leader do not: the node serves all others, and says so.
/// </remarks>
internal sealed class NodeHealth
{
    private const int LongestLine = 500;
    private const int NamesShown = 10;

    private volatile string? _notReady = "starting";
    private volatile string? _failure;
    private volatile IObjectStorage? _storage;
    private volatile IMetadataFeed? _metadata;
    private volatile bool _isStopping;

    private string? NotReady => _isStopping ? "stopping" : _notReady;

    /// <summary>The store is open, and the node on its way.</summary>
    public void Uses(IObjectStorage storage) => _storage = storage;

    /// <summary>Clients are served, of this cluster.</summary>
    public void Ready(IMetadataFeed metadata)
    {
        _metadata = metadata;
        _notReady = null;
    }

    /// <summary>Between two incarnations nobody serves, and nothing has to be restarted for that.</summary>
    public void Replacing(Exception reason) => _notReady = $"no incarnation: the former one is over, and a new one is being made ({reason.Message})";

    /// <summary>For good, whatever else is told meanwhile.</summary>
    public void Stopping() => _isStopping = true;

    public void Failed(Exception failure) => _failure = failure.Message;

    /// <summary>Whether the node does its work as far as a restart would help.</summary>
    public HealthReport Health() => Report(_failure);

    /// <summary>Whether it can do now what clients ask for.</summary>
    public HealthReport Readiness() => Report(_failure ?? NotReady ?? (_storage?.Trouble is null ? null : "not ready"));

    private HealthReport Report(string? problem)
    {
        var lines = new List<string> { problem ?? "ok" };
        if (_storage?.Trouble is { } trouble)
        {
            lines.Add($"{(trouble.IsFull ? "store full" : "store away")}: {trouble.Words}");
        }

        if (_metadata is { } metadata && WithoutLeader(metadata.Image) is { } partitions)
        {
            lines.Add(partitions);
        }

        return new HealthReport(problem is null, [.. lines.Select(line => line.Length > LongestLine ? line[..LongestLine] + "…" : line)]);
    }

    private static string? WithoutLeader(MetadataImage image)
    {
        var (all, count) = (0, 0);
        var names = new List<string>();
        foreach (var topic in image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                all++;
                if (partition.Leader is null && ++count <= NamesShown)
                {
                    names.Add($"{topic.Name}-{partition.Index}");
                }
            }
        }

        return count == 0 ? null
            : $"without a leader: {count} of {all} partitions: {string.Join(", ", names)}{(count > names.Count ? $" and {count - names.Count} more" : "")}";
    }
}
