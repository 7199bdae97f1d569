using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Server;
using Millrace.Server.Composition;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>What a process outlives, and how often.</summary>
public sealed class IncarnationEndTests
{
    public static TheoryData<Exception, string> Reasons => new()
    {
        { new StreamException(StreamError.Fenced, "fenced"), "Passing" },
        { new StreamException(StreamError.WalFailed, "the WAL failed", new IOException("Input/output error")), "Passing" },
        { Loop(new ObjectLogException(ObjectLogError.Fenced, "sealed")), "Passing" },
        { new InsufficientMemoryException(), "Passing" },
        { new ObjectStorageException(ObjectStorageError.Transient, "503"), "Passing" },
        { Loop(new ObjectLogException(ObjectLogError.Fork, "another history")), "Lasting" },
        { new StreamException(StreamError.WalFailed, "the WAL failed", new ObjectLogException(ObjectLogError.Missing, "an entry is gone")), "Lasting" },
        { new ObjectStorageException(ObjectStorageError.Invalid, "it let an object be created twice"), "Lasting" },
        { new NodeStartException("another one is alive"), "Lasting" },
        { Loop(new InvariantViolationException("Broken invariant")), "Fault" },
        { Loop(new KeyNotFoundException()), "Fault" },
        { new StreamException(StreamError.WalFailed, "the WAL failed", new InvariantViolationException("Broken invariant")), "Fault" },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Only_what_a_new_incarnation_would_meet_again_ends_the_process(Exception reason, string kind) =>
        Assert.Equal(kind, $"{IncarnationEnd.KindOf(reason)}");

    [Fact]
    public void Incarnations_that_end_early_follow_one_another_ever_later_and_not_for_ever()
    {
        using var runtime = NewRuntime(new ManualTime());
        var replacements = new Replacements(runtime);
        TimeSpan? last = TimeSpan.Zero;
        for (var i = 0; i < Replacements.MostInARow; i++)
        {
            replacements.Serves();
            last = replacements.Next();
            Assert.NotNull(last);
        }

        Assert.True(last > TimeSpan.FromSeconds(4), $"{last}");
        replacements.Serves();
        Assert.Null(replacements.Next());
    }

    [Fact]
    public void One_that_served_for_long_is_none_of_a_row()
    {
        var time = new ManualTime();
        using var runtime = NewRuntime(time);
        var replacements = new Replacements(runtime);
        for (var i = 0; i < 3 * Replacements.MostInARow; i++)
        {
            replacements.Serves();
            time.Advance(TimeSpan.FromMinutes(2));
            Assert.True(replacements.Next() < TimeSpan.FromSeconds(1));
        }
    }

    private static InvalidOperationException Loop(Exception failure) => new($"The background loop 'controller' failed: {failure.Message}", failure);

    private static NodeRuntime NewRuntime(TimeProvider time) =>
        new(time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
}
