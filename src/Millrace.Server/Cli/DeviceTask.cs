using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Wal.Inspection;

namespace Millrace.Server.Cli;

/// <summary>What a command does with a device of this host.</summary>
internal static class DeviceTask
{
    public static Argument<string> Argument() => new("DEVICE") { Description = "The device, or a file in its place" };

    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(string path, bool json, Func<DeviceInspector, Task> task) => RunAsync(path, json, (inspector, _) => task(inspector));

    /// <inheritdoc cref="RunAsync(string, bool, Func{DeviceInspector, Task})"/>
    public static async Task<int> RunAsync(string path, bool json, Func<DeviceInspector, DeviceProbe, Task> task)
    {
#pragma warning disable RS0030 // The composition root names the system clock.
        var time = TimeProvider.System;
#pragma warning restore RS0030
        using var runtime = new NodeRuntime(
            time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        using var pool = new BufferPool(0);
        try
        {
            var full = Path.GetFullPath(path);
            await task(new DeviceInspector(runtime, pool, full), new DeviceProbe(runtime, pool, full));
            return ExitCode.Success;
        }
        catch (CommandFailedException failure)
        {
            return Messages.Error(json, failure.ExitCode, failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Messages.Error(json, failure.HResult == LinuxError.NoEntry ? ExitCode.NotFound : ExitCode.Failed, failure.Message);
        }
    }
}
