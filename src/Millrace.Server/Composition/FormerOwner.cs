using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Server.Composition;

/// <summary>
/// Looks for the owner of the metadata log, before somebody of this process takes it over: a cluster of one has one broker, and a second one on its
/// bucket would depose it.
/// </summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class FormerOwner(NodeRuntime runtime, IPeerProbe peers)
{
    /// <summary>
    /// A process that was deposed asks more than once: whoever did that has the better right, and may be on its way, and listening, but not
    /// answering yet. One whose port refuses is dead all three times, within a moment.
    /// </summary>
    private const int LooksOfDeposed = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<FormerOwner>();
    private readonly HashSet<Guid> _own = [];

    /// <summary>An incarnation of this process may own the log from now on. Nobody needs to be asked whether it is alive.</summary>
    public void AddOwn(Guid incarnation) => _own.Add(incarnation);

    /// <summary>Returns if the log may be taken over.</summary>
    /// <exception cref="NodeStartException">Its owner is another process, and alive.</exception>
    public async Task RefuseIfAliveAsync(MetadataLog log, string store, CancellationToken token)
    {
        if (log.Owner is not { } owner || _own.Contains(owner.IncarnationId) || HasLeft(log.Image, owner))
        {
            return;
        }

        var pauses = new BackOff(runtime, FirstPause, LongestPause);
        for (var looks = _own.Count == 0 ? 1 : LooksOfDeposed; ;)
        {
            if (await peers.AnswersAsync(owner.Host, owner.Port, log.Image.ClusterId, token))
            {
                throw new NodeStartException(
                    $"A broker of cluster {log.Image.ClusterId} is alive at {owner.Host}:{owner.Port}, and it owns the store {store}. "
                    + "Stop it first, or give this one another store (--store, --data-dir).");
            }

            if (--looks == 0)
            {
                break;
            }

            await pauses.PauseAsync(token);
        }

        ServerMessages.TakingOver(_logger, log.Image.ClusterId, $"{owner.Host}:{owner.Port}");
    }

    private static bool HasLeft(MetadataImage image, ControllerSeal owner) =>
        image.Nodes.Values.Any(node => node.Incarnation == owner.IncarnationId && node.State == NodeState.Stopped);
}
