using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

public sealed class WalTrimTests : IDisposable
{
    private readonly Cores _cores = new();
    private readonly List<StreamCore> _open = [];
    private readonly List<StreamCore> _lost = [];
    private readonly WalTrim _trim;

    public WalTrimTests() => _trim = new WalTrim(() => _open, () => _lost, NullLogger.Instance);

    [Fact]
    public async Task The_wal_is_trimmed_at_the_oldest_record_that_no_object_holds_in_whatever_order_they_come()
    {
        var (first, second) = (Open(1), Open(2));
        _cores.Append(first, walPosition: 10);
        _cores.Append(second, walPosition: 20);
        _cores.Append(first, walPosition: 30);
        _cores.Append(second, walPosition: 40);

        Cores.Commit(second, 2);
        await _trim.TrimAsync(_cores.Wal, 40, default);
        Assert.Equal(10, _cores.Wal.TrimmedTo);
        Cores.Commit(first, 1);
        await _trim.TrimAsync(_cores.Wal, 10, default);
        Assert.Equal(30, _cores.Wal.TrimmedTo);
        Cores.Commit(first, 2);
        await _trim.TrimAsync(_cores.Wal, 30, default);
        Assert.Equal(41, _cores.Wal.TrimmedTo);
    }

    [Fact]
    public async Task What_was_appended_since_stays()
    {
        var stream = Open(1);
        _cores.Append(stream, walPosition: 10);
        Cores.Commit(stream, 1);
        // At 20 somebody else has appended, whose stream is not listed yet.
        await _trim.TrimAsync(_cores.Wal, 10, default);
        Assert.Equal(11, _cores.Wal.TrimmedTo);
    }

    [Fact]
    public async Task A_lost_streams_records_stay_as_long_as_they_count()
    {
        var (lost, other) = (Open(1), Open(2));
        _cores.Append(lost, walPosition: 10);
        _cores.Append(other, walPosition: 20);
        Cores.Commit(other, 1);
        lost.Lose(new StreamException(StreamError.Fenced, "another owner"));
        _lost.Add(lost);
        _open.Remove(lost);
        await _trim.TrimAsync(_cores.Wal, 20, default);
        Assert.Equal(10, _cores.Wal.TrimmedTo);
        _lost.Remove(lost);
        await _trim.TrimAsync(_cores.Wal, lost.LastPosition, default);
        Assert.Equal(21, _cores.Wal.TrimmedTo);
    }

    [Fact]
    public async Task What_is_settled_and_needed_in_one_WAL_says_nothing_of_another()
    {
        var other = new TestWal(new NodeId(1), new NodeEpoch(1));
        var (here, there) = (Open(1), Open(2, other));
        _cores.Append(here, walPosition: 50);
        _cores.Append(there, walPosition: 5);

        await _trim.TrimAsync(_cores.Wal, 40, default);
        Assert.Equal((41, 0), (_cores.Wal.TrimmedTo, other.TrimmedTo));
        Cores.Commit(there, 1);
        await _trim.TrimAsync(other, 5, default);
        Assert.Equal((41, 6), (_cores.Wal.TrimmedTo, other.TrimmedTo));
    }

    public void Dispose() => _cores.Dispose();

    private StreamCore Open(long id, TestWal? wal = null)
    {
        var stream = _cores.Open(id, wal: wal);
        _open.Add(stream);
        return stream;
    }
}
