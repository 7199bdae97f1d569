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

    /// <summary>
    /// How far before the last object of an open term its first hole may lie, or the seal that counts: whoever looks for them need not look before that.
    /// </summary>
    /// <remarks>
    /// <para>
    /// An owner has at most so many entries under way as <see cref="ObjectLogOptions.InFlight"/> says: it creates entry i only when all up to
    /// i - InFlight are acknowledged, which is for ever. So there is no hole below an entry by InFlight or more, whenever the entry is seen.
    /// </para>
    /// <para>
    /// A taker creates seals only from a hole on, in its first place after a walk, and at most 2 * InFlight places beyond (<see cref="LogTaker"/>). What
    /// lies before that hole were entries, and no hole ever comes to be below them: objects vanish only below the boundary, where nobody looks. So there is
    /// no hole below any seal, valid or stray, by more than 2 * InFlight either; and the seal that counts stands in the first hole there ever was.
    /// </para>
    /// <para>
    /// What is passed over this way are acknowledged entries alone. That they are still there is seen when they are read; the object log's other rules do
    /// not rest on the walk: each seal that is met is still compared with the boundary after it was seen, and so is a hole.
    /// </para>
    /// </remarks>
    public virtual long Doubtful(int inFlight) => 2L * inFlight;

    /// <summary>A seal that counted stays for ever: a paused owner may sleep for a year and must still meet it.</summary>
    public virtual bool MayDelete(LogPlace place, bool countedSeal) => !countedSeal;

    /// <summary>A number keeps its bytes until its outcome is known.</summary>
    public virtual LogBody BodyForRetry(LogPlace place, LogBody body) => body;

    /// <summary>A refusal may be the answer to our own first attempt, whose answer was lost: only the put id tells.</summary>
    public virtual bool ReadsBackWhatRefused => true;

    /// <summary>What the former owner wrote before the taker's seal, after the taker looked, is part of the log too.</summary>
    public virtual bool AppliesEntriesMetAfterSealing => true;
}
