using Millrace.Metadata;

namespace Millrace.Controller.Clients;

/// <summary>Requests of one incarnation that go to the controller as one; each gets the results of its own operations.</summary>
/// <remarks>
/// A request decides its operations by their kinds, whatever order they were asked in. So no two of the requests in here name the same stream: what is
/// asked of a stream is decided in the order of asking. Threading: one at a time.
/// </remarks>
internal sealed class GatheredStreamOps
{
    // A range takes about a hundred bytes, in a commit as in an answer, an operation not many more: half a megabyte.
    private const long MostOperations = 4_096;

    private readonly List<StreamOpsRequest> _requests = [];
    private readonly HashSet<long> _streams = [];
    private readonly List<long> _named = [];
    private long _operations;

    /// <summary>Takes a request in; the first one always.</summary>
    /// <returns>False if it has to go in another one: it is of another incarnation, names a stream that is named here, or is too much.</returns>
    public bool TryAdd(StreamOpsRequest request)
    {
        var operations = SizeOf(request);
        FindNamed(request);
        if (_requests is [var first, ..]
            && (first.NodeId != request.NodeId || first.NodeEpoch != request.NodeEpoch
                || _operations + operations > MostOperations || _named.Exists(_streams.Contains)))
        {
            return false;
        }

        _requests.Add(request);
        _streams.UnionWith(_named);
        _operations += operations;
        return true;
    }

    /// <summary>All of them in one.</summary>
    public StreamOpsRequest Join() => _requests is [var only]
        ? only
        : new StreamOpsRequest
        {
            NodeId = _requests[0].NodeId,
            NodeEpoch = _requests[0].NodeEpoch,
            Creations = _requests.Sum(request => request.Creations),
            Opens = [.. _requests.SelectMany(request => request.Opens)],
            Closes = [.. _requests.SelectMany(request => request.Closes)],
            Trims = [.. _requests.SelectMany(request => request.Trims)],
            Prepares = [.. _requests.SelectMany(request => request.Prepares)],
            Commits = [.. _requests.SelectMany(request => request.Commits)],
            Damages = [.. _requests.SelectMany(request => request.Damages)],
            RangeQueries = [.. _requests.SelectMany(request => request.RangeQueries)],
            CommittedEnds = [.. _requests.SelectMany(request => request.CommittedEnds)],
            RecoverableEnds = [.. _requests.SelectMany(request => request.RecoverableEnds)],
            OpenQueries = [.. _requests.SelectMany(request => request.OpenQueries)],
        };

    /// <summary>The answer to each, in the order in which they came in here.</summary>
    /// <param name="answer">To the one that <see cref="Join"/> gave.</param>
    public IReadOnlyList<StreamOpsResponse> Split(StreamOpsResponse answer)
    {
        if (_requests.Count == 1)
        {
            return [answer];
        }

        var created = new ResultReader<StreamOpsResponse.CreateResult>(answer.Created);
        var opened = new ResultReader<StreamOpsResponse.OpenResult>(answer.Opened);
        var closed = new ResultReader<StreamOpsResponse.Done>(answer.Closed);
        var trimmed = new ResultReader<StreamOpsResponse.Done>(answer.Trimmed);
        var prepared = new ResultReader<StreamOpsResponse.PrepareResult>(answer.Prepared);
        var committed = new ResultReader<StreamOpsResponse.CommitResult>(answer.Committed);
        var damaged = new ResultReader<StreamOpsResponse.Done>(answer.Damaged);
        var pages = new ResultReader<StreamOpsResponse.RangePage>(answer.RangePages);
        var ends = new ResultReader<long>(answer.CommittedEnds);
        var recoverable = new ResultReader<long>(answer.RecoverableEnds);
        var openings = new ResultReader<StreamOpsResponse.OpenAnswer>(answer.OpenAnswers);
        return
        [
            .. _requests.Select(request => new StreamOpsResponse
            {
                Created = created.Take(request.Creations),
                Opened = opened.Take(request.Opens.Count),
                Closed = closed.Take(request.Closes.Count),
                Trimmed = trimmed.Take(request.Trims.Count),
                Prepared = prepared.Take(request.Prepares.Count),
                Committed = committed.Take(request.Commits.Count),
                Damaged = damaged.Take(request.Damages.Count),
                RangePages = pages.Take(request.RangeQueries.Count),
                CommittedEnds = ends.Take(request.CommittedEnds.Count),
                RecoverableEnds = recoverable.Take(request.RecoverableEnds.Count),
                OpenAnswers = openings.Take(request.OpenQueries.Count),
            }),
        ];
    }

    // Ranges that are asked for weigh as much as those that are brought: so whoever asks says how many there may be.
    private static long SizeOf(StreamOpsRequest request) =>
        (long)request.Creations + request.Opens.Count + request.Closes.Count + request.Trims.Count + request.Prepares.Count + request.Damages.Count
        + request.Commits.Sum(commit => 1L + commit.Ranges.Count + commit.Closes.Count) + request.RangeQueries.Sum(query => (long)query.Limit)
        + request.CommittedEnds.Count + request.RecoverableEnds.Count + request.OpenQueries.Count;

    private void FindNamed(StreamOpsRequest request)
    {
        _named.Clear();
        _named.AddRange(request.Opens.Select(open => open.StreamId));
        _named.AddRange(request.Closes.Select(close => close.StreamId));
        _named.AddRange(request.Trims.Select(trim => trim.StreamId));
        _named.AddRange(request.Commits.SelectMany(commit => commit.Ranges).Select(range => range.StreamId));
        _named.AddRange(request.Commits.SelectMany(commit => commit.Closes).Select(close => close.StreamId));
        _named.AddRange(request.Damages.Select(damage => damage.StreamId));
        _named.AddRange(request.RangeQueries.Select(query => query.StreamId));
        _named.AddRange(request.CommittedEnds);
        _named.AddRange(request.RecoverableEnds.Select(end => end.StreamId));
        _named.AddRange(request.OpenQueries.Select(query => query.StreamId));
    }

    /// <summary>Results of one kind, handed out from the first on.</summary>
    private sealed class ResultReader<T>(IReadOnlyList<T> results)
    {
        private int _next;

        public T[] Take(int count)
        {
            if (count == 0)
            {
                return [];
            }

            var taken = new T[count];
            for (var i = 0; i < count; i++)
            {
                taken[i] = results[_next++];
            }

            return taken;
        }
    }
}
