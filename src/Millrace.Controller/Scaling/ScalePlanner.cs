using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>Says after each look how many brokers there should be.</summary>
/// <remarks>
/// A function of what it was told so far: it looks at no clock and does nothing. What it is told was begun it counts on. A cluster is never made smaller
/// because brokers are missing: they may come again, and whoever stops brokers by a number alone would stop others in their place. Threading: one at a time.
/// </remarks>
/// <param name="rules">What is not for operators to tune.</param>
/// <param name="drains">Whether who is to go is drained before: then nobody else is. Where it is not, others stop brokers by the number.</param>
internal sealed class ScalePlanner(ScaleRules rules, bool drains)
{
    private readonly Lasting _tooMuch = new();
    private readonly Lasting _little = new();
    private readonly ComingBrokers _coming = new(rules.Patience);

    private int? _lastCurrent;
    private TimeSpan? _changed;
    private TimeSpan? _failoverSince;
    private TimeSpan? _silentSince;

    /// <summary>Takes in what one look has found.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="loads">The newest of every node that has said so lately.</param>
    /// <param name="settings">What operators have set.</param>
    /// <param name="standing">What was decided last.</param>
    /// <param name="now">By any clock that only rises.</param>
    public ScaleDecision Plan(
        MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, ScaleSettings settings, ScaleStanding standing, TimeSpan now)
    {
        // A former controller may have changed something just before.
        _changed ??= now;
        var census = BrokerCensus.Of(image, loads, standing.Victim);
        var desired = Adopt(census, standing.Desired);
        _coming.Observe(census, desired, now);
        if (WhyNot(census, now) is { } reason)
        {
            _tooMuch.Clear();
            _little.Clear();
            return new ScaleDecision(ScaleChange.None, census.Serving.Count, census.Current, desired, census.Victim, null, reason);
        }

        var need = ScaleNeed.Of(census, settings);
        var decision = Keep(census, need, settings, desired)
            ?? Out(census, need, settings, desired, now)
            ?? Recall(census, need, standing.Former, desired, now)
            ?? In(census, need, settings, desired, now);
        return decision with { Ignored = census.Silent };
    }

    /// <summary>What it has decided is under way.</summary>
    public void Begun(ScaleDecision decision, TimeSpan now)
    {
        if (decision.Change == ScaleChange.None)
        {
            return;
        }

        _changed = now;
        _tooMuch.Clear();
        _little.Clear();
        if (decision.Change == ScaleChange.Out)
        {
            _coming.Order(decision.Desired - decision.Current, now);
        }
    }

    /// <summary>
    /// Brokers that somebody has started are there because somebody wants them; at the first look it is not known who has. Where who is to go is drained
    /// before, and nobody is, all are wanted, also if somebody has set a smaller number.
    /// </summary>
    private int Adopt(BrokerCensus census, int desired)
    {
        var adopted = drains || _lastCurrent is not { } last
            ? Math.Max(desired, census.Current - (census.Victim is null ? 0 : 1))
            : desired + Math.Max(0, census.Current - last);
        _lastCurrent = census.Current;
        return census.Current > desired ? Math.Min(census.Current, adopted) : desired;
    }

    private string? WhyNot(BrokerCensus census, TimeSpan now)
    {
        _failoverSince = census.HasFailover ? _failoverSince ?? now : null;
        _silentSince = census.Silent is null ? null : _silentSince ?? now;
        return now - _failoverSince < rules.FailoverPatience ? "A failover is under way."
            : now - _silentSince < rules.Patience ? $"Broker {census.Silent} has not told of its load lately."
            : census.Serving.Count == 0 ? "No broker has told of its load yet."
            : null;
    }

    private static ScaleDecision? Keep(BrokerCensus census, ScaleNeed need, ScaleSettings settings, int desired)
    {
        var why = census.Victim is not null && census.Current <= desired ? "Another broker is missing now."
            : census.Victim is { } leader && leader == census.Controller ? $"Broker {leader}, which was to go, is the controller now."
            : census.Victim is { } spared && settings.Excluded.Contains(spared) ? $"Broker {spared}, which was to go, is one of those that never go."
            : census.Current <= desired ? null
            : desired < settings.Min ? $"There are to be {settings.Min} brokers at least."
            : census.Current <= settings.Max && need.Brokers > census.SeatsOf(desired) ? $"The broker that was to go is needed: {need}."
            : null;
        return why is null ? null
            : new(ScaleChange.Keep, census.Serving.Count, census.Current, Math.Max(desired, census.Current), null, need, why);
    }

    private ScaleDecision? Out(BrokerCensus census, ScaleNeed need, ScaleSettings settings, int desired, TimeSpan now)
    {
        var serving = census.Serving.Count;
        var isLacking = need.Brokers > serving || census.Current < settings.Min;
        _tooMuch.Observe(isLacking, need.Brokers, now);
        if (!isLacking)
        {
            return null;
        }

        var why = census.Current < settings.Min ? $"There are fewer than {settings.Min} brokers" : $"{need}";
        if (!_tooMuch.HasLasted(settings.OutAfter, now))
        {
            return Stay($"{why}, not for long enough yet.");
        }

        var (missing, starting) = (_coming.ExpectedMissing(now), _coming.ExpectedStarting(now));
        var wanted = Math.Max((int)Math.Ceiling(_tooMuch.Mean) - serving, settings.Min - census.Current) - missing - starting;
        if (wanted <= 0)
        {
            return Stay($"{why}, and {missing + starting} are on their way.");
        }

        var step = Math.Max(1, (int)Math.Ceiling(rules.LargestStep * serving));
        var next = Math.Min(Math.Max(settings.Max, settings.Min), Math.Max(desired, census.Current + missing + Math.Min(wanted, step)));
        return next <= (missing > 0 ? desired : census.Current) ? Stay($"{why}, and there are to be {settings.Max} at most.")
            : now - _changed < settings.OutCooldown ? Stay($"{why}, too soon after the last change.")
            : new ScaleDecision(ScaleChange.Out, serving, census.Current, next, null, need, $"{why}.");

        ScaleDecision Stay(string reason) => new(ScaleChange.None, census.Serving.Count, census.Current, desired, census.Victim, need, reason);
    }

    private ScaleDecision? Recall(BrokerCensus census, ScaleNeed need, int? former, int desired, TimeSpan now) =>
        former is { } before && before < desired && _coming.ExpectedMissing(now) == 0
            ? new(
                ScaleChange.Recall, census.Serving.Count, census.Current, Math.Max(before, census.Current), null, need,
                $"Who was to come has not, and is needed no more: {need}.")
            : null;

    private ScaleDecision In(BrokerCensus census, ScaleNeed need, ScaleSettings settings, int desired, TimeSpan now)
    {
        if (census.Silent is { } silent)
        {
            _little.Clear();
            return Stay($"{need}, and broker {silent} has not told of its load.");
        }

        var isLittle = need.Brokers <= rules.InBelow * (census.Serving.Count - 1) || census.Current > Math.Max(settings.Max, settings.Min);
        var isSpare = isLittle && census.Current > settings.Min && census.Serving.Count > 1;
        _little.Observe(isSpare, need.Brokers, now);
        if (!isSpare)
        {
            return Stay($"{need}.");
        }

        return census.Current > desired ? Stay(census.Victim is { } leaving ? $"Broker {leaving} is to go: {need}." : $"One is to go: {need}.")
            : _coming.Missing > 0 ? Stay($"{need}, and {_coming.Missing} of {desired} are missing.")
            : census.Starting.Count > 0 ? Stay($"{need}, and broker {census.Starting[0]} only starts.")
            : !_little.HasLasted(settings.InAfter, now) ? Stay($"{need}, not for long enough yet.")
            : now - _changed < settings.InCooldown ? Stay($"{need}, too soon after the last change.")
            : ScaleVictim.Find(census, settings) is not { } victim ? Stay($"{need}, and no broker may go.")
            : new ScaleDecision(ScaleChange.In, census.Serving.Count, census.Current, census.Current - 1, victim, need, $"{need}.");

        ScaleDecision Stay(string reason) => new(ScaleChange.None, census.Serving.Count, census.Current, desired, census.Victim, need, reason);
    }
}
