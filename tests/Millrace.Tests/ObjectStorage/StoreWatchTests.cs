using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
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
    public void A_call_that_is_not_answered_is_told_once_and_its_end_is_told_once()
    {
        var call = _watch.Begin("list", "meta/", 0);
        LookAfter(4);
        Assert.Empty(_log.Texts);
        LookAfter(2);
        Assert.Equal(
            "Warning The object store s3://b at http://store does not answer: 'list meta/' has waited for 6 s. Calls are repeated until it does",
            Assert.Single(_log.Texts));
        LookAfter(10);
        LookAfter(600);
        Assert.Single(_log.Texts);

        _watch.End(call, isAnswered: true, failure: null);
        LookAfter(6);
        LookAfter(6);
        Assert.Equal("Information The object store s3://b at http://store does what it is asked again: 0 of 1 calls failed within 610 s", _log.Texts[^1]);
        Assert.Equal(2, _log.Texts.Count);
    }

    [Fact]
    public void An_outage_is_one_line_when_it_begins_and_one_with_its_counts_when_it_ends_and_so_is_the_next()
    {
        for (var outage = 0; outage < 2; outage++)
        {
            Answer(times: 5);
            LookAfter(1);
            for (var i = 0; i < 100; i++)
            {
                Answer(times: 1);
                _watch.End(_watch.Begin("create", "k", 1), isAnswered: false, new ObjectStorageException(ObjectStorageError.Transient, $"503 SlowDown {i}"));
                LookAfter(1);
            }

            Answer(times: 7);
            LookAfter(6);
            LookAfter(60);
        }

        string[] lines =
        [
            "Warning The object store s3://b at http://store does not do what it is asked. Calls are repeated until it does. Its answer: 503 SlowDown 0",
            "Information The object store s3://b at http://store does what it is asked again: 100 of 206 calls failed within 99 s",
        ];
        Assert.Equal([.. lines, .. lines], _log.Texts);
    }

    [Fact]
    public void A_store_that_is_not_asked_anything_is_not_said_to_answer_again()
    {
        _watch.End(_watch.Begin("create", "k", 1), isAnswered: false, new ObjectStorageException(ObjectStorageError.Transient, "503 SlowDown"));
        LookAfter(1);
        LookAfter(600);
        Assert.Single(_log.Texts);
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

    [Fact]
    public void A_store_of_which_some_calls_fail_and_others_succeed_is_not_called_away()
    {
        Fail(ObjectStorageError.Transient);
        Answer(times: 1);
        LookAfter(1);
        _watch.Begin("put", "k", 1);
        LookAfter(3);
        Answer(times: 1);
        LookAfter(4);
        Assert.Null(_watch.Trouble);
    }

    [Fact]
    public void A_store_that_answers_nothing_is_away_until_it_answers_and_nothing_fails_any_more()
    {
        Answer(times: 1);
        LookAfter(1);
        var call = _watch.Begin("list", "meta/", 0);
        LookAfter(6);
        Assert.Equal(new StoreTrouble(IsFull: false, "s3://b at http://store does not answer: 'list meta/' has waited for 6 s"), _watch.Trouble);
        Fail(ObjectStorageError.Transient);
        LookAfter(1);
        Assert.Equal(new StoreTrouble(IsFull: false, "no"), _watch.Trouble);

        _watch.End(call, isAnswered: true, failure: null);
        LookAfter(1);
        Assert.NotNull(_watch.Trouble);
        LookAfter(5);
        Assert.Null(_watch.Trouble);
    }

    [Theory]
    [InlineData(ObjectStorageError.Transient, true)]
    [InlineData(ObjectStorageError.AccessDenied, false)]
    [InlineData(ObjectStorageError.Invalid, false)]
    public void What_no_repeating_mends_is_trouble_though_other_calls_succeed(ObjectStorageError error, bool isFull)
    {
        Fail(error, isFull);
        Answer(times: 10);
        LookAfter(1);
        Assert.Equal(new StoreTrouble(isFull, "no"), _watch.Trouble);
    }

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        _runtime.Dispose();
        _log.Dispose();
    }

    private void Answer(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _watch.End(_watch.Begin("read", "k", 1), isAnswered: true, failure: null);
        }
    }

    private void Fail(ObjectStorageError error, bool isForWantOfRoom = false) =>
        _watch.End(_watch.Begin("create", "k", 1), isAnswered: false, new ObjectStorageException(error, "no") { IsForWantOfRoom = isForWantOfRoom });

    private void LookAfter(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        _watch.Look();
    }
}
