using Millrace.Runtime;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// A log of numbered, immutable objects, each created only if absent: a chain of terms, each written by one owner and ended
/// by a seal, whose creator owns the next term. It needs no clock, no quorum and no database to be correct.
/// </summary>
/// <remarks>
/// Two uses. A <em>chain</em> (the metadata log): <see cref="TryTakeOverAsync"/> ends the current term and owns the next. A
/// <em>single term</em> (the WAL of one node incarnation): <see cref="BeginTerm"/> by its writer, <see cref="SealAsync"/> by
/// whoever recovers it, and nothing after. Threading: any thread. Failures of the store are waited out, for as long as
/// the caller's token permits; every exception that says otherwise is an <see cref="ObjectLogException"/>.
/// </remarks>
public sealed class ObjectLog
{
    private readonly LogObjects _objects;

    /// <param name="runtime">Time, randomness and logs.</param>
    /// <param name="storage">Where the log lies.</param>
    /// <param name="prefix">What all its keys begin with, ending in '/' unless empty.</param>
    /// <param name="options">The same for everyone who uses this log.</param>
    public ObjectLog(NodeRuntime runtime, IObjectStorage storage, string prefix, ObjectLogOptions options)
        : this(runtime, storage, prefix, options, LogRules.Default)
    {
    }

    internal ObjectLog(NodeRuntime runtime, IObjectStorage storage, string prefix, ObjectLogOptions options, LogRules rules) =>
        _objects = new LogObjects(runtime, storage, prefix, options, rules);

    /// <summary>Whether a key of the store is one that this log may have.</summary>
    public bool IsKey(string key) => _objects.Keys.ObjectPlace(key) is not null || _objects.Keys.MarkerPlace(key) is not null;

    /// <summary>The key of the object at a place.</summary>
    public string KeyOf(LogPlace place) => _objects.Keys.Object(place);

    /// <summary>
    /// The payload of a single entry, of which its owner has told that it was acknowledged; null if it is gone, as it is some time after it was trimmed.
    /// </summary>
    /// <exception cref="ObjectLogException">Corrupt.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> FindEntryAsync(LogPlace place, CancellationToken token) =>
        await _objects.GetAsync(place, whole: true, token) is { IsSeal: false } found ? found.Payload : null;

    /// <summary>Nothing below this place is part of the log any more. Whoever knows a single-term log by its id alone reads from here.</summary>
    public ValueTask<LogPlace> BoundaryAsync(CancellationToken token) => _objects.BoundaryAsync(token);

    /// <summary>Whether the log has an object at a place, or had one that has been trimmed.</summary>
    /// <exception cref="ObjectLogException">Corrupt.</exception>
    public async ValueTask<bool> ReachesAsync(LogPlace place, CancellationToken token) =>
        // In this order: what is absent may have been trimmed meanwhile.
        await _objects.GetAsync(place, whole: false, token) is not null || await BoundaryAsync(token) > place;

    /// <summary>Reads the log from a known place on. The caller disposes the reader.</summary>
    public ObjectLogReader Read(LogStart start) => new(_objects, start, whole: true, _ => null);

    /// <summary>
    /// As above, for entries that are known to be there: reads ahead from the beginning, and nothing that is not there.
    /// </summary>
    /// <param name="start">Where the first step reads.</param>
    /// <param name="end">Where they end.</param>
    /// <param name="lengthOf">Bytes of a payload where they are known: no more of them are read ahead than the options say.</param>
    public ObjectLogReader Read(LogStart start, LogPlace end, Func<LogPlace, long?> lengthOf) => new(_objects, start, whole: true, lengthOf) { KnownEnd = end };

    /// <summary>Reads headers only: places, kinds and ids, with empty payloads. For finding the end of large entries.</summary>
    /// <param name="start">Where the first step reads.</param>
    /// <param name="end">Up to where there are objects, as far as that is known.</param>
    public ObjectLogReader ReadHeaders(LogStart start, LogPlace end = default) => new(_objects, start, whole: false, _ => null) { KnownEnd = end };

    /// <summary>Lists the objects of a term, from a place at or above the boundary on: a thousand in a request.</summary>
    /// <param name="start">A place of the term, with what must be known of the part before.</param>
    /// <param name="token">Ends the attempt.</param>
    public async ValueTask<LogListing> ListAsync(LogStart start, CancellationToken token)
    {
        var first = start.Next;
        var end = first;
        var lengths = new Dictionary<LogPlace, long>();
        var after = first.Index == 0 ? null : KeyOf(first with { Index = first.Index - 1 });
        await foreach (var page in _objects.ListPagesAsync(_objects.Keys.Term(first.Term), after, token))
        {
            foreach (var entry in page)
            {
                if (_objects.Keys.ObjectPlace(entry.Key) is { } place)
                {
                    lengths[place] = Math.Max(0, entry.Size - LogObjectFormat.HeaderSize);
                    end = place.Next;
                }
            }
        }

        var near = Math.Max(first.Index, end.Index - 1 - _objects.Rules.Doubtful(_objects.Options.InFlight));
        return new LogListing(start with { Next = first with { Index = near } }, end, lengths);
    }

    /// <summary>
    /// Makes the caller the owner of the only term of a log that has never been used. Does no I/O; if the log has been used after
    /// all, the first append finds the owner fenced.
    /// </summary>
    /// <param name="id">Names the log, for ever: its objects carry it, and its readers begin with it.</param>
    public ObjectLogOwner BeginTerm(Guid id) => new(_objects, LogStart.Beginning(id));

    /// <summary>
    /// Reads on to the end of the current term and seals it; if somebody else's seal counts, that is as good. After this nothing
    /// more is ever acknowledged in the term, and everything that was has been passed to <paramref name="apply"/> or lies before
    /// the place the reader came with.
    /// </summary>
    /// <param name="reader">Stands anywhere in the term; afterwards behind its seal. Disposed by the caller.</param>
    /// <param name="payload">What the seal says to others. Small.</param>
    /// <param name="apply">Is given every entry from the reader's place on, in order, and the seal.</param>
    /// <param name="token">Ends the attempt; seals may have been left, and count.</param>
    /// <exception cref="ObjectLogException">Trimmed: begin again with a new reader. Fork, Missing, Corrupt: stop.</exception>
    public ValueTask<LogSeal> SealAsync(
        ObjectLogReader reader, ReadOnlyMemory<byte> payload, Func<LogStep, ValueTask> apply, CancellationToken token) =>
        new LogTaker(_objects, reader, payload, apply).SealAsync(token);

    /// <summary>
    /// One attempt to end the current term and own the next. Reads on from where the reader stands, so a caller that wants to
    /// judge the present owner first walks to the tail itself.
    /// </summary>
    /// <returns>
    /// The owner of the term that now begins, everything before it having been applied. Null if a seal was met that is not ours: somebody else
    /// owns what follows, the reader stands behind that seal, and the caller decides whether to try again.
    /// </returns>
    /// <inheritdoc cref="SealAsync"/>
    public async ValueTask<ObjectLogOwner?> TryTakeOverAsync(
        ObjectLogReader reader, ReadOnlyMemory<byte> payload, Func<LogStep, ValueTask> apply, CancellationToken token)
    {
        var taker = new LogTaker(_objects, reader, payload, apply);
        var seal = await taker.SealAsync(token);
        var start = reader.Position;
        if (!seal.IsMine || !await taker.IsNextTermFreeAsync(token))
        {
            return null;
        }

        ObjectLogMessages.Owns(_objects.Logger, _objects.Prefix, start.Next.Term);
        return new ObjectLogOwner(_objects, start);
    }

    /// <summary>
    /// Gives up everything below a place: makes that durable first, then deletes. Objects that land below later go with the next
    /// trim. Repeatable, by anyone.
    /// </summary>
    /// <param name="boundary">
    /// At or below the last acknowledged entry of an open term, or the seal of an ended one; and a verified snapshot, or committed
    /// objects, hold everything below it.
    /// </param>
    /// <param name="known">
    /// A start at or after the boundary, from the caller's own reading: it knows all seals below that count. Whoever takes the
    /// boundary from elsewhere compares first; a seal that goes lets a deposed owner acknowledge.
    /// </param>
    /// <param name="token">Ends the attempt; nothing is deleted before the boundary is durable.</param>
    public ValueTask TrimAsync(LogPlace boundary, LogStart known, CancellationToken token)
    {
        Invariant.Check(boundary <= known.Next);
        return new LogTrimmer(_objects).TrimAsync(boundary, known.Seals, token);
    }
}
