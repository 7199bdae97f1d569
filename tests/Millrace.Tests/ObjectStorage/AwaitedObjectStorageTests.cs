using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

/// <summary>How long a store is said to have answered nothing, by a clock that the test moves.</summary>
public sealed class AwaitedObjectStorageTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly TestStorage _inner = new();
    private readonly NodeRuntime _runtime;
    private readonly AwaitedObjectStorage _storage;

    public AwaitedObjectStorageTests()
    {
        _runtime = new NodeRuntime(
            _time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        _storage = new AwaitedObjectStorage(_runtime, _inner);
    }

    [Fact]
    public async Task It_owes_nothing_while_nobody_asks_or_every_call_is_answered()
    {
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, _storage.Owing);
        await _storage.ListAsync("", null, 1, default);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, _storage.Owing);
    }

    [Fact]
    public async Task A_call_is_owed_from_its_beginning_and_any_answer_ends_what_is_owed()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inner.BeforeRead = key => key == "held" ? new(held.Task) : default;
        var call = _storage.ReadAsync("held", 0, Memory<byte>.Empty, default);
        _time.Advance(TimeSpan.FromSeconds(4));
        AssertOwes(4);

        await _storage.ListAsync("", null, 1, default);
        _time.Advance(TimeSpan.FromSeconds(2));
        AssertOwes(2);

        held.SetResult();
        Assert.Equal(-1, await call);
        Assert.Equal(TimeSpan.Zero, _storage.Owing);
    }

    [Fact]
    public async Task What_is_owed_grows_over_attempts_that_fail_and_is_forgotten_when_nobody_comes_again()
    {
        _inner.BeforeRead = _ => throw TestStorage.Unavailable;
        for (var i = 0; i < 4; i++)
        {
            await Assert.ThrowsAsync<ObjectStorageException>(async () => await _storage.ReadAsync("key", 0, Memory<byte>.Empty, default));
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        AssertOwes(20);
        _time.Advance(AwaitedObjectStorage.LongestPause);
        Assert.Equal(TimeSpan.Zero, _storage.Owing);
        await Assert.ThrowsAsync<ObjectStorageException>(async () => await _storage.ReadAsync("key", 0, Memory<byte>.Empty, default));
        AssertOwes(0);
    }

    [Theory]
    [InlineData(ObjectStorageError.AccessDenied, false)]
    [InlineData(ObjectStorageError.Transient, true)]
    public async Task A_refusal_is_an_answer(ObjectStorageError error, bool isForWantOfRoom)
    {
        _inner.BeforeRead = _ => throw new ObjectStorageException(error, "no") { IsForWantOfRoom = isForWantOfRoom };
        await Assert.ThrowsAsync<ObjectStorageException>(async () => await _storage.ReadAsync("key", 0, Memory<byte>.Empty, default));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, _storage.Owing);
    }

    [Fact]
    public async Task A_call_that_takes_long_is_not_owed_while_something_small_is_answered_beside_it()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inner.BeforePut = (key, _) => key == "key" ? new(held.Task) : default;
        using var stopping = new CancellationTokenSource();
        var probing = _storage.ProbeAsync(stopping.Token);
        var put = _storage.PutAsync("key", new ReadOnlySequence<byte>(new byte[1 << 20]), default);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.True(await Eventually.BecomesTrueAsync(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return _storage.Owing <= TimeSpan.FromMilliseconds(100);
            }));
        }

        held.SetResult();
        await put;
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing);
        Assert.Equal(["key"], await _inner.KeysAsync());
    }

    [Fact]
    public async Task A_store_that_swallows_writes_owes_an_answer_though_it_would_answer_reads()
    {
        var asked = 0;
        _inner.BeforePut = (key, token) =>
        {
            asked += key.StartsWith(StorageProbe.Prefix, StringComparison.Ordinal) ? 1 : 0;
            return new(Task.Delay(Timeout.Infinite, token));
        };
        using var stopping = new CancellationTokenSource();
        var probing = _storage.ProbeAsync(stopping.Token);
        var put = _storage.PutAsync("key", new ReadOnlySequence<byte>(new byte[1]), stopping.Token).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.True(await Eventually.BecomesTrueAsync(() => asked > 1));
        AssertOwes(2);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(probing, put));
    }

    [Fact]
    public async Task What_a_probe_may_have_left_goes_when_the_store_answers_again_though_nothing_is_owed_any_more()
    {
        _inner.BeforePut = async (key, token) =>
        {
            // It arrives; its answer does not.
            _inner.BeforePut = (_, _) => default;
            await _inner.PutAsync(key, new ReadOnlySequence<byte>(new byte[1]), token);
            throw TestStorage.Unavailable;
        };
        Assert.Equal(StoreAnswer.None, await _storage.Check.AskAsync(default));
        Assert.Single(await _inner.KeysAsync());
        using var stopping = new CancellationTokenSource();
        var probing = _storage.ProbeAsync(stopping.Token);

        Assert.True(await Eventually.BecomesTrueAsync(() => !_storage.Check.MayHaveLeft));
        Assert.Empty(await _inner.KeysAsync());
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing);
    }

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        _runtime.Dispose();
    }

    private void AssertOwes(int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), _storage.Owing);
}
