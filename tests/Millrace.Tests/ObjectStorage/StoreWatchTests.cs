using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Tests.Controller;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StoreWatchTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly RecordedLog _log = new();
    private readonly NodeRuntime _runtime;
    private readonly StoreWatch _watch;

    public StoreWatchTests()
    {
        _runtime = new NodeRuntime(_time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), _log);
        _watch = new StoreWatch(_runtime, "s3://b at http://store");
    }

    [Fact]
    public void A_call_that_is_not_answered_is_told_now_and_then_and_its_end_is_told_once()
    {
        var call = _watch.Begin("list", "meta/", 0);
        LookAfter(4);
        Assert.Empty(_log.Texts);
        LookAfter(2);
        Assert.Equal("Warning The object store s3://b at http://store does not answer: 'list meta/' has waited for 6 s. Calls are repeated until it does", Assert.Single(_log.Texts));
        LookAfter(10);
        Assert.Single(_log.Texts);
        LookAfter(21);
        Assert.Equal(2, _log.Texts.Count);

        _watch.End(call, isAnswered: true, failure: null);
        LookAfter(6);
        LookAfter(6);
        Assert.Equal("Information The object store s3://b at http://store answers again", _log.Texts[^1]);
        Assert.Equal(3, _log.Texts.Count);
    }

    [Fact]
    public void Refusals_are_told_with_their_number_and_the_last_of_them()
    {
        for (var i = 0; i < 40; i++)
        {
            _watch.End(_watch.Begin("create", "k", 1), isAnswered: true, failure: null);
            _watch.End(_watch.Begin("create", "k", 1), isAnswered: false, new ObjectStorageException(ObjectStorageError.Transient, "503 SlowDown"));
            LookAfter(1);
        }

        Assert.Equal(2, _log.Texts.Count);
        Assert.StartsWith("Warning The object store does not do what it is asked: 1 of 2 calls failed in ", _log.Texts[0], StringComparison.Ordinal);
        Assert.Contains("60 calls failed in", _log.Texts[1], StringComparison.Ordinal);
        Assert.EndsWith("Its last answer: 503 SlowDown", _log.Texts[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_body_on_its_way_and_a_call_that_its_caller_gave_up_are_no_trouble()
    {
        _watch.Begin("put", "k", 16 << 20);
        _watch.End(_watch.Begin("read", "k", 10), isAnswered: false, failure: null);
        LookAfter(60);
        Assert.Empty(_log.Texts);
        LookAfter(20);
        Assert.Single(_log.Texts);
    }

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        _runtime.Dispose();
        _log.Dispose();
    }

    private void LookAfter(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        _watch.Look();
    }
}
