using System.Buffers;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>The object log's decisions with one mistake among them.</summary>
internal sealed class PlantedLogRules(PlantedFault? fault, NodeRandom random) : LogRules
{
    public static IReadOnlyList<PlantedFault> Faults { get; } =
    [
        PlantedFault.AcknowledgeBeforeDurable, PlantedFault.AcknowledgeOverHole, PlantedFault.DeleteSeal,
        PlantedFault.BelieveSealWithoutBoundary, PlantedFault.SkipEntriesBeforeOwnSeal, PlantedFault.ReuseNumber,
        PlantedFault.TakeLostAnswerForFence,
    ];

    public override bool ReadsBackWhatRefused => fault != PlantedFault.TakeLostAnswerForFence && base.ReadsBackWhatRefused;

    public override bool AppliesEntriesMetAfterSealing => fault != PlantedFault.SkipEntriesBeforeOwnSeal && base.AppliesEntriesMetAfterSealing;

    public override bool MayAcknowledge(CreateOutcome? outcome, bool allBeforeAcknowledged) => fault switch
    {
        PlantedFault.AcknowledgeBeforeDurable => true,
        PlantedFault.AcknowledgeOverHole => base.MayAcknowledge(outcome, allBeforeAcknowledged: true),
        _ => base.MayAcknowledge(outcome, allBeforeAcknowledged),
    };

    public override long Doubtful(int inFlight) => fault == PlantedFault.SealBehindLastObject ? 0 : base.Doubtful(inFlight);

    public override bool Counts(LogPlace place, LogPlace boundary) =>
        fault == PlantedFault.BelieveSealWithoutBoundary || base.Counts(place, boundary);

    public override bool MayDelete(LogPlace place, bool countedSeal) => fault == PlantedFault.DeleteSeal || base.MayDelete(place, countedSeal);

    public override LogBody BodyForRetry(LogPlace place, LogBody body)
    {
        if (fault != PlantedFault.ReuseNumber || LogObjectFormat.Read(body.Bytes.ToArray(), whole: true) is not { IsSeal: false } entry)
        {
            return base.BodyForRetry(place, body);
        }

        // The same number, made anew: other bytes.
        return LogBody.Entry(place, random.NewId(), entry.After, entry.Confirmed, new ReadOnlySequence<byte>(entry.Payload));
    }
}
