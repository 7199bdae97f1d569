using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.ObjectStorage.ObjectLogs;

/// <summary>What each call promises, over a store that behaves. What happens when it does not is the simulator's matter.</summary>
public sealed class ObjectLogTests : IDisposable
{
    private readonly RealNode _node = new();
    private readonly MemoryObjectStorage _storage = new();
    private readonly List<string> _applied = [];

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task The_first_taker_seals_term_0_and_appends_to_term_1()
    {
        var log = Log();
        await using var owner = await TakeOverAsync(log, "first");
        Assert.Equal(new LogPlace(1, 0), await AppendAsync(owner, "a"));
        Assert.Equal(new LogPlace(1, 1), await AppendAsync(owner, "b"));
        Assert.Equal(["(0, 0) Seal first", "(1, 0) Entry a", "(1, 1) Entry b", "(1, 2) Tail "], await ReadAsync(log));
    }

    [Fact]
    public async Task A_taker_gets_everything_that_was_acknowledged_and_fences_the_owner()
    {
        var log = Log();
        await using var first = await TakeOverAsync(log, "first");
        await AppendAsync(first, "a");
        _applied.Clear();
        await using var second = await TakeOverAsync(log, "second");
        Assert.Equal(["(0, 0) Seal first", "(1, 0) Entry a", "(1, 1) Seal second"], _applied);

        var fenced = await Assert.ThrowsAsync<ObjectLogException>(() => AppendAsync(first, "too late"));
        Assert.Equal(ObjectLogError.Fenced, fenced.Error);
        Assert.Equal(ObjectLogError.Fenced, (await first.Lost).Error);
        Assert.Equal(new LogPlace(2, 0), await AppendAsync(second, "b"));
    }

    [Fact]
    public async Task An_owner_that_only_looks_finds_out_that_its_term_has_ended()
    {
        var log = Log();
        await using var first = await TakeOverAsync(log, "first");
        await first.ConfirmAsync(CancellationToken.None);
        await AppendAsync(first, "a");
        await first.ConfirmAsync(CancellationToken.None);
        await using var second = await TakeOverAsync(log, "second");

        for (var i = 0; i < 2; i++)
        {
            var fenced = await Assert.ThrowsAsync<ObjectLogException>(async () => await first.ConfirmAsync(CancellationToken.None));
            Assert.Equal(ObjectLogError.Fenced, fenced.Error);
        }

        Assert.Equal(ObjectLogError.Fenced, (await first.Lost).Error);
        await second.ConfirmAsync(CancellationToken.None);
        await second.DisposeAsync();
        var closed = await Assert.ThrowsAsync<ObjectLogException>(async () => await second.ConfirmAsync(CancellationToken.None));
        Assert.Equal(ObjectLogError.Closed, closed.Error);
    }

    [Fact]
    public async Task Appends_go_out_several_at_a_time_and_room_comes_with_acknowledgements()
    {
        var log = Log(inFlight: 3);
        await using var owner = log.BeginTerm(_node.Runtime.NewId());
        List<Task<LogPlace>> appends = [];
        for (var i = 0; i < 100; i++)
        {
            await owner.WaitForRoomAsync(CancellationToken.None);
            appends.Add(owner.AppendAsync(Bytes($"{i}")));
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => new LogPlace(0, i)), await Task.WhenAll(appends));
        Assert.Equal(new LogPlace(0, 99), owner.Confirmed);
    }

    [Fact]
    public async Task A_sealed_single_term_is_read_by_everyone_up_to_the_same_seal()
    {
        var log = Log(inFlight: 4);
        var id = _node.Runtime.NewId();
        await using (var owner = log.BeginTerm(id))
        {
            await AppendAsync(owner, "a");
            await AppendAsync(owner, "b");
        }

        var first = await SealAsync(log, id);
        var second = await SealAsync(log, id);
        Assert.Equal(new LogPlace(0, 2), first.Place);
        Assert.True(first.IsMine);
        Assert.False(second.IsMine);
        Assert.Equal(first.PutId, second.PutId);
    }

    [Fact]
    public async Task A_seal_is_applied_before_anything_is_looked_for_behind_it_so_that_whoever_gives_up_goes_on_from_there()
    {
        using var givenUp = new CancellationTokenSource();
        var isSealed = false;
        await using var storage = new TestStorage
        {
            BeforeRead = _ =>
            {
                if (isSealed)
                {
                    givenUp.Cancel();
                }

                return new(Task.Delay(0, givenUp.Token));
            },
        };
        var log = new ObjectLog(_node.Runtime, storage, "log/", new ObjectLogOptions());
        var id = _node.Runtime.NewId();
        await SealAsync(log, id);
        _applied.Clear();
        using var reader = log.ReadHeaders(LogStart.Beginning(id));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await log.SealAsync(
            reader,
            "late"u8.ToArray(),
            step =>
            {
                isSealed = step.Kind == LogStepKind.Seal;
                return Apply(step);
            },
            givenUp.Token));

        Assert.Equal(["(0, 0) Seal "], _applied);
    }

    [Fact]
    public async Task A_log_that_was_used_before_fences_whoever_begins_it_again()
    {
        var log = Log();
        await using var first = log.BeginTerm(_node.Runtime.NewId());
        await AppendAsync(first, "a");
        await using var second = log.BeginTerm(_node.Runtime.NewId());
        var fenced = await Assert.ThrowsAsync<ObjectLogException>(() => AppendAsync(second, "b"));
        Assert.Equal(ObjectLogError.Fenced, fenced.Error);
    }

    [Fact]
    public async Task Trimming_leaves_the_seals_that_count_and_one_marker()
    {
        var log = Log();
        await using var first = await TakeOverAsync(log, "first");
        await AppendAsync(first, "a");
        await using var second = await TakeOverAsync(log, "second");
        await AppendAsync(second, "b");
        var at = await AppendAsync(second, "c");
        await log.TrimAsync(new LogPlace(1, 0), second.StartAfter(at), CancellationToken.None);
        await log.TrimAsync(at, second.StartAfter(at), CancellationToken.None);

        var keys = new LogKeys("log/");
        var left = await _storage.ListAsync("", null, 1000, CancellationToken.None);
        Assert.Equal(
            [keys.Object(new(0, 0)), keys.Object(new(1, 1)), keys.Object(at), keys.Marker(at)],
            left.Select(entry => entry.Key));
        Assert.Equal(at, await log.BoundaryAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Trimming_where_the_caller_cannot_know_the_seals_is_refused()
    {
        var log = Log();
        await using var owner = await TakeOverAsync(log, "first");
        var at = await AppendAsync(owner, "a");
        await Assert.ThrowsAsync<InvariantViolationException>(async () => await log.TrimAsync(at, LogStart.Beginning(), CancellationToken.None));
    }

    [Fact]
    public async Task A_reader_from_before_the_boundary_is_told_to_begin_again()
    {
        var log = Log();
        await using var owner = await TakeOverAsync(log, "first");
        await AppendAsync(owner, "a");
        var at = await AppendAsync(owner, "b");
        await log.TrimAsync(at, owner.StartAfter(at), CancellationToken.None);
        var trimmed = await Assert.ThrowsAsync<ObjectLogException>(() => ReadAsync(log));
        Assert.Equal(ObjectLogError.Trimmed, trimmed.Error);
        Assert.Equal(["(1, 2) Tail "], await ReadAsync(log, owner.StartAfter(at)));
    }

    [Fact]
    public async Task A_follower_meets_what_is_appended_after_it_reached_the_tail()
    {
        var log = Log();
        await using var owner = await TakeOverAsync(log, "first");
        using var reader = log.Read(LogStart.Beginning());
        Assert.Equal(LogStepKind.Seal, (await reader.FollowAsync(CancellationToken.None)).Kind);
        var next = reader.FollowAsync(CancellationToken.None);
        await AppendAsync(owner, "a");
        Assert.Equal("(1, 0) Entry a", Text(await next));
    }

    [Fact]
    public async Task A_log_whose_seal_was_deleted_and_made_anew_is_a_fork()
    {
        var log = Log();
        await using (var first = await TakeOverAsync(log, "first"))
        {
            await AppendAsync(first, "a");
        }

        var keys = new LogKeys("log/");
        await _storage.DeleteAsync([keys.Object(new(0, 0))], CancellationToken.None);
        var fork = await Assert.ThrowsAsync<ObjectLogException>(() => TakeOverAsync(log, "second"));
        Assert.Equal(ObjectLogError.Fork, fork.Error);
    }

    [Fact]
    public async Task An_acknowledged_entry_that_has_vanished_is_noticed_by_the_taker()
    {
        var log = Log(inFlight: 2);
        var id = _node.Runtime.NewId();
        await using (var owner = log.BeginTerm(id))
        {
            await AppendAsync(owner, "a");
            await AppendAsync(owner, "b");
            await AppendAsync(owner, "c");
        }

        await _storage.DeleteAsync([new LogKeys("log/").Object(new(0, 1))], CancellationToken.None);
        var missing = await Assert.ThrowsAsync<ObjectLogException>(() => SealAsync(log, id));
        Assert.Equal(ObjectLogError.Missing, missing.Error);
    }

    [Fact]
    public async Task Damaged_bytes_stop_the_reader()
    {
        var log = Log();
        await using var owner = await TakeOverAsync(log, "first");
        await _storage.PutAsync(new LogKeys("log/").Object(new(1, 0)), Bytes("no object of a log"), CancellationToken.None);
        var corrupt = await Assert.ThrowsAsync<ObjectLogException>(() => ReadAsync(log));
        Assert.Equal(ObjectLogError.Corrupt, corrupt.Error);
    }

    [Fact]
    public async Task A_fault_of_ours_in_an_append_is_not_repeated_and_stops_the_node()
    {
        foreach (var fault in (Exception[])[new ArgumentException("a key that no store can hold"), new InsufficientMemoryException()])
        {
            using var node = new RealNode();
            var attempts = 0;
            await using var storage = new AdjustedObjectStorage
            {
                Create = (_, _, _) =>
                {
                    attempts++;
                    throw fault;
                },
            };
            var log = new ObjectLog(node.Runtime, storage, "log/", new ObjectLogOptions());
            await using var owner = log.BeginTerm(node.Runtime.NewId());
            await Assert.ThrowsAsync<ObjectLogException>(() => owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Same(fault, await node.Runtime.Failed.WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Equal(1, attempts);
        }
    }

    [Theory]
    [InlineData(1 << 20, 300)]
    [InlineData(32 << 10, 500)]
    public async Task A_link_that_is_slow_for_the_entry_takes_it_all_the_same(int length, int milliseconds)
    {
        await using var storage = new AdjustedObjectStorage
        {
            CreateUntil = async (bytes, token) =>
            {
                // As long as its bytes take, and all of them again with each attempt.
                await Task.Delay(bytes < length ? 0 : milliseconds, token);
                return true;
            },
        };
        var log = new ObjectLog(_node.Runtime, storage, "log/", new ObjectLogOptions { RequestTimeout = TimeSpan.FromMilliseconds(20) });
        await using var owner = log.BeginTerm(_node.Runtime.NewId());
        Assert.Equal(new LogPlace(0, 0), await owner.AppendAsync(new(new byte[length])).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task An_append_that_is_lost_on_its_way_is_made_again_long_before_anything_else_would_be()
    {
        var attempts = 0;
        await using var storage = new AdjustedObjectStorage
        {
            CreateUntil = async (_, token) =>
            {
                await Task.Delay(Interlocked.Increment(ref attempts) == 1 ? Timeout.Infinite : 0, token);
                return true;
            },
        };
        var log = new ObjectLog(
            _node.Runtime, storage, "log/",
            new ObjectLogOptions { RequestTimeout = TimeSpan.FromHours(1), FirstTimeout = TimeSpan.FromMilliseconds(20) });
        await using var owner = log.BeginTerm(_node.Runtime.NewId());
        Assert.Equal(new LogPlace(0, 0), await owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.True(attempts > 1);
    }

    [Fact]
    public async Task A_store_that_fails_for_very_long_takes_the_append_when_it_is_back()
    {
        var attempts = 0;
        await using var storage = new AdjustedObjectStorage
        {
            CreateUntil = (_, _) => Interlocked.Increment(ref attempts) > 100
                ? ValueTask.FromResult(true)
                : throw new ObjectStorageException(ObjectStorageError.Transient, "away"),
        };
        var options = new ObjectLogOptions { FirstBackOff = TimeSpan.FromMilliseconds(1), LongestBackOff = TimeSpan.FromMilliseconds(1) };
        await using var owner = new ObjectLog(_node.Runtime, storage, "log/", options).BeginTerm(_node.Runtime.NewId());
        Assert.Equal(new LogPlace(0, 0), await owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task A_store_that_was_slow_of_late_is_given_more_than_that_before_an_append_is_made_again()
    {
        var attempts = 0;
        await using var storage = new AdjustedObjectStorage
        {
            CreateUntil = async (_, token) =>
            {
                Interlocked.Increment(ref attempts);
                await Task.Delay(200, token);
                return true;
            },
        };
        var options = new ObjectLogOptions { RequestTimeout = TimeSpan.FromHours(1), FirstTimeout = TimeSpan.FromMilliseconds(50) };
        await using var owner = new ObjectLog(_node.Runtime, storage, "log/", options).BeginTerm(_node.Runtime.NewId());
        await owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(60));
        var before = attempts;
        Assert.True(before > 1);

        // What it took is taken of the store's slowness, which a loaded machine adds to.
        for (var i = 0; i < 5; i++)
        {
            await owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(60));
        }

        Assert.InRange(attempts - before, 5, 9);
    }

    [Fact]
    public async Task What_a_body_took_says_nothing_of_how_long_a_lost_append_is_waited_for()
    {
        var time = new ManualTime();
        using var runtime = new NodeRuntime(
            time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        var attempts = 0;
        await using var storage = new AdjustedObjectStorage
        {
            Got = body =>
            {
                // As a body of some megabytes takes on a slow link.
                time.Advance(TimeSpan.FromSeconds(15));
                return body;
            },
            CreateUntil = async (_, token) =>
            {
                await Task.Delay(Interlocked.Increment(ref attempts) == 1 ? Timeout.Infinite : 0, token);
                return true;
            },
        };
        var options = new ObjectLogOptions { RequestTimeout = TimeSpan.FromHours(1), FirstTimeout = TimeSpan.FromMilliseconds(50) };
        var log = new ObjectLog(runtime, storage, "log/", options);
        using var reader = log.Read(LogStart.Beginning());
        await reader.StepAsync(CancellationToken.None);
        await using var owner = log.BeginTerm(runtime.NewId());

        await owner.AppendAsync(new(new byte[1])).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(attempts > 1);
    }

    private ObjectLog Log(int inFlight = 1) =>
        new(_node.Runtime, _storage, "log/", new ObjectLogOptions { InFlight = inFlight, PollInterval = TimeSpan.FromMilliseconds(5) });

    private async Task<ObjectLogOwner> TakeOverAsync(ObjectLog log, string name)
    {
        using var reader = log.Read(LogStart.Beginning());
        while (true)
        {
            var owner = await log.TryTakeOverAsync(reader, Encoding.UTF8.GetBytes(name), Apply, CancellationToken.None);
            if (owner is not null)
            {
                return owner;
            }
        }
    }

    private async Task<LogSeal> SealAsync(ObjectLog log, Guid id)
    {
        using var reader = log.ReadHeaders(LogStart.Beginning(id));
        return await log.SealAsync(reader, "taker"u8.ToArray(), Apply, CancellationToken.None);
    }

    private static async Task<List<string>> ReadAsync(ObjectLog log, LogStart? start = null)
    {
        using var reader = log.Read(start ?? LogStart.Beginning());
        List<string> steps = [];
        LogStep step;
        do
        {
            step = await reader.StepAsync(CancellationToken.None);
            steps.Add(Text(step));
        }
        while (step.Kind != LogStepKind.Tail);
        return steps;
    }

    private ValueTask Apply(LogStep step)
    {
        _applied.Add(Text(step));
        return ValueTask.CompletedTask;
    }

    private static async Task<LogPlace> AppendAsync(ObjectLogOwner owner, string payload)
    {
        await owner.WaitForRoomAsync(CancellationToken.None);
        return await owner.AppendAsync(Bytes(payload));
    }

    private static string Text(LogStep step) => $"{step.Place} {step.Kind} {Encoding.UTF8.GetString(step.Payload.Span)}";

    private static ReadOnlySequence<byte> Bytes(string text) => new(Encoding.UTF8.GetBytes(text));
}
