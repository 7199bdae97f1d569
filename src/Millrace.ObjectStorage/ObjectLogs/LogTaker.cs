using System.Buffers;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>Ends a term: finds its first hole, puts a seal there, and reads what the race for it left.</summary>
internal sealed class LogTaker(LogObjects objects, ObjectLogReader reader, ReadOnlyMemory<byte> payload, Func<LogStep, ValueTask> apply)
{
    private readonly HashSet<Guid> _mine = [];

    /// <summary>Walks on from where the reader stands until a seal counts, whoever made it.</summary>
    /// <exception cref="ObjectLogException">Trimmed, Fork, Missing, Corrupt. Nothing that this call has created makes anyone here an owner then.</exception>
    public async ValueTask<LogSeal> SealAsync(CancellationToken token)
    {
        var after = reader.Position.After;
        var volley = 1;
        while (true)
        {
            var step = await reader.StepAsync(token);
            switch (step.Kind)
            {
                case LogStepKind.Entry:
                    if (_mine.Count == 0 || objects.Rules.AppliesEntriesMetAfterSealing)
                    {
                        await apply(step);
                    }

                    break;
                case LogStepKind.Seal:
                    // At once: whoever gives the attempt up meanwhile goes on from behind the seal.
                    await apply(step);
                    await CheckNothingIsMissingAsync(step.Place, after, token);
                    return new LogSeal(step.Place, step.PutId, step.Payload, _mine.Contains(step.PutId));
                case LogStepKind.Tail:
                    await CreateSealsAsync(step.Place, volley, after, token);
                    // A busy owner fills holes as fast as one seal at a time can aim at them. No more at once than LogRules.Doubtful knows of.
                    volley = Math.Min(volley * 2, 2 * objects.Options.InFlight + 1);
                    break;
            }
        }
    }

    /// <summary>
    /// Whether the term after our own seal is untouched, so that its owner may begin: false if its owner was already deposed.
    /// </summary>
    /// <exception cref="ObjectLogException">Trimmed, Fork.</exception>
    public async ValueTask<bool> IsNextTermFreeAsync(CancellationToken token)
    {
        // Nobody but us may write entries that follow our seal: a reader takes any entry here for a fork.
        var step = await reader.StepAsync(token);
        if (step.Kind == LogStepKind.Entry)
        {
            throw new ObjectLogException(
                ObjectLogError.Fork, $"{objects.Prefix}: there is an entry at {step.Place}, and its only possible owner has not written it");
        }

        if (step.Kind == LogStepKind.Seal)
        {
            await apply(step);
        }

        return step.Kind == LogStepKind.Tail;
    }

    private async ValueTask CreateSealsAsync(LogPlace hole, int count, Guid after, CancellationToken token)
    {
        var creates = new Task<CreateOutcome>[count];
        for (var i = 0; i < count; i++)
        {
            var place = hole with { Index = hole.Index + i };
            var body = LogBody.Seal(place, objects.Runtime.NewId(), after, new ReadOnlySequence<byte>(payload));
            _mine.Add(body.PutId);
            creates[i] = objects.CreateAsync(objects.Keys.Object(place), place, body, token).AsTask();
        }

        // All answers: a seal whose fate is unknown could turn up anywhere among them.
        var outcomes = await Task.WhenAll(creates);
        if (outcomes.Contains(CreateOutcome.Gone))
        {
            throw new ObjectLogException(ObjectLogError.Trimmed, $"{objects.Prefix}: {hole} has been trimmed while it was being sealed");
        }
    }

    // An entry beyond the seal that knew the sealed place to be acknowledged proves that an acknowledged entry has vanished.
    private async ValueTask CheckNothingIsMissingAsync(LogPlace seal, Guid after, CancellationToken token)
    {
        var places = Enumerable.Range(1, objects.Options.InFlight).Select(distance => seal with { Index = seal.Index + distance });
        var beyond = await Task.WhenAll(places.Select(place => objects.GetAsync(place, whole: false, token).AsTask()));
        foreach (var entry in beyond)
        {
            if (entry is { IsSeal: false } && entry.After == after && entry.Confirmed >= seal.Index)
            {
                throw new ObjectLogException(
                    ObjectLogError.Missing, $"{objects.Prefix}: a seal stands at {seal}, and the entry at {entry.Place} knew an acknowledged one there");
            }
        }
    }
}
