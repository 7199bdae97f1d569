using Millrace.Cluster.Peers;
using Millrace.Metadata;
using Millrace.Metadata.Image;

namespace Millrace.Cluster.Membership;

/// <summary>
/// When a node that has lost its controller tries to take its place. Safety does not rest on it, the metadata log does that; but a living controller that
/// is deposed costs its cluster a moment, and so does everybody's trying at once.
/// </summary>
/// <param name="questions">Asks the others.</param>
/// <param name="options">How patient it is.</param>
/// <param name="self">Where others reach this node.</param>
internal sealed class Candidacy(PeerQuestions questions, ClusterOptions options, PeerAddress self)
{
    private const int MostSteps = 5;

    /// <summary>Finds out how long this node leaves it to others.</summary>
    /// <param name="image">The newest that this node has.</param>
    /// <param name="owner">Who is lost.</param>
    /// <param name="end">How.</param>
    /// <param name="token">Ends the questions.</param>
    /// <returns>How long from now; null if the owner is to be followed again, since others hear it.</returns>
    public async Task<TimeSpan?> JudgeAsync(MetadataImage image, ControllerSeal owner, FollowEnd end, CancellationToken token)
    {
        var lost = new PeerAddress(owner.Host, owner.Port);
        var others = image.LiveNodes.Select(node => node.Internal).OfType<PeerAddress>().Where(node => node != lost && node != self).ToList();
        var turn = options.CandidacyStep * Rank(image, lost);
        var isMember = image.LiveNodes.Any(node => node.Internal == self);
        if (others.Count > 0 && (end == FollowEnd.Silent || !isMember))
        {
            var answers = await questions.AskAsync(others, token);
            // A stranger takes no controller's place that members hear, whatever it looks like from here.
            if (answers.Any(answer => IsHeard(answer.View, owner)) && (end == FollowEnd.Silent || !isMember))
            {
                return null;
            }

            if (!isMember && answers.Any(answer => answer.View?.ClusterId == image.ClusterUuid))
            {
                // The members find a new one among themselves.
                return options.StrangerWait;
            }

            if (answers.Any(answer => answer.Silence == PeerSilence.Silent))
            {
                // Whoever hears nobody may be the one that is cut off.
                return options.SuspicionTime + turn;
            }
        }

        return turn;
    }

    private bool IsHeard(PeerViewResponse? view, ControllerSeal owner) =>
        view is not null && view.ControllerId == owner.IncarnationId && view.HeardAgoMs is >= 0 and var ago
        && ago < options.PollTime.TotalMilliseconds * 2;

    private int Rank(MetadataImage image, PeerAddress lost)
    {
        var rank = 0;
        foreach (var node in image.LiveNodes)
        {
            if (node.Internal == self)
            {
                break;
            }

            rank += node.Internal == lost ? 0 : 1;
        }

        return Math.Min(rank, MostSteps);
    }
}
