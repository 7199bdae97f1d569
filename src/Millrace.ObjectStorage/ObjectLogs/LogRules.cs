namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// The decisions that the log's safety rests on, one method each. The simulator replaces them one at a time, to prove that
/// its checkers would notice a mistake.
/// </summary>
internal class LogRules
{
    public static LogRules Default { get; } = new();

    /// <summary>An append is acknowledged when it and all before it are known to be in the store.</summary>
    public virtual bool MayAcknowledge(CreateOutcome? outcome, bool allBeforeAcknowledged) =>
        outcome == CreateOutcome.Mine && allBeforeAcknowledged;

    /// <summary>A seal below the boundary stands on a number that was used before and deleted: it means nothing.</summary>
    /// <param name="place">Where the seal, or the hole, was seen.</param>
    /// <param name="boundary">Read after that was seen; one read earlier proves nothing.</param>
    public virtual bool Counts(LogPlace place, LogPlace boundary) => boundary <= place;

    /// <summary>A seal that counted stays for ever: a paused owner may sleep for a year and must still meet it.</summary>
    public virtual bool MayDelete(LogPlace place, bool countedSeal) => !countedSeal;

    /// <summary>A number keeps its bytes until its outcome is known.</summary>
    public virtual LogBody BodyForRetry(LogPlace place, LogBody body) => body;

    /// <summary>A refusal may be the answer to our own first attempt, whose answer was lost: only the put id tells.</summary>
    public virtual bool ReadsBackWhatRefused => true;

    /// <summary>What the former owner wrote before the taker's seal, after the taker looked, is part of the log too.</summary>
    public virtual bool AppliesEntriesMetAfterSealing => true;
}
