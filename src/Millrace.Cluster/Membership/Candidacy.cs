using Millrace.Cluster.Peers;
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
    /// <returns>For how long since it was lost; null if the owner is to be followed again, since it is heard.</returns>
    public async Task<TimeSpan?> JudgeAsync(MetadataImage image, TermOwner owner, FollowEnd end, CancellationToken token)
    {
        var lost = new PeerAddress(owner.Host, owner.Port);
        var witnesses = Witnesses(image, lost);
        var isAlone = witnesses[0] == lost;
        var turn = options.CandidacyStep * Math.Min(Rank(image, lost), MostSteps);
        if (end == FollowEnd.CutFromStore)
        {
            // It lives, and grants whole leases for as long as it has heard everybody just now: not when the next term begins.
            turn += options.ProbeTime * 2;
        }

        var isMember = IsMember(image);
        if (end == FollowEnd.Silent || (!isMember && !isAlone))
        {
            var answers = await questions.AskAsync(witnesses, token);
            // A stranger takes no controller's place that members hear, whatever it looks like from here.
            if (answers.Any(answer => IsHeard(answer.View, owner)))
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

        // With nobody to ask the silence may be one's own.
        return isAlone && end == FollowEnd.Silent ? options.SuspicionTime + turn : turn;
    }

    /// <summary>Whether others hear a controller that this node does not.</summary>
    public async Task<bool> IsHeardAsync(MetadataImage image, TermOwner owner, CancellationToken token) =>
        (await questions.AskAsync(Witnesses(image, new PeerAddress(owner.Host, owner.Port)), token)).Any(answer => IsHeard(answer.View, owner));

    /// <summary>Whether this node is the first that would take a controller's place; null while it is no member.</summary>
    public bool? IsNext(MetadataImage image, TermOwner owner) =>
        IsMember(image) ? Rank(image, new PeerAddress(owner.Host, owner.Port)) == 0 : null;

    /// <summary>Asks the others whom they follow by now.</summary>
    /// <param name="image">The newest that this node has.</param>
    /// <param name="term">Of the controller that is lost: only one of a later term counts.</param>
    /// <param name="token">Ends the questions.</param>
    /// <returns>Null if nobody knows one.</returns>
    public async Task<TermOwner?> FindSuccessorAsync(MetadataImage image, long term, CancellationToken token)
    {
        var answers = await questions.AskAsync(Others(image), token);
        return answers
            .Select(answer => answer.View)
            .OfType<PeerViewResponse>()
            .Where(view => view.ClusterId == image.ClusterUuid && view.Term > term && IsFresh(view))
            .MaxBy(view => view.Term) is { } newest
                ? new TermOwner(newest.ControllerId, newest.Host, newest.Port, newest.Term)
                : null;
    }

    /// <summary>The other members; where there are none the one that is lost, for it may be this node that was away.</summary>
    private List<PeerAddress> Witnesses(MetadataImage image, PeerAddress lost)
    {
        List<PeerAddress> others = [.. Others(image).Where(node => node != lost)];
        return others.Count > 0 ? others : [lost];
    }

    private bool IsHeard(PeerViewResponse? view, TermOwner owner) => view is not null && view.ControllerId == owner.Id && IsFresh(view);

    private bool IsFresh(PeerViewResponse view) => view.HeardAgoMs is >= 0 and var ago && ago < options.PollTime.TotalMilliseconds * 2;

    private bool IsMember(MetadataImage image) => image.LiveNodes.Any(node => node.Internal == self);

    private IEnumerable<PeerAddress> Others(MetadataImage image) =>
        image.LiveNodes.Select(node => node.Internal).OfType<PeerAddress>().Where(node => node != self);

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

        return rank;
    }
}
