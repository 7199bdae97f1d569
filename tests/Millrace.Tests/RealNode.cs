using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Tests;

/// <summary>A node's surroundings as in production, and a folder of its own that goes with it.</summary>
internal sealed class RealNode(ILoggerFactory? loggers = null) : IDisposable
{
    private bool _disposed;

    public NodeRuntime Runtime { get; } = new(
        TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), loggers ?? NullLoggerFactory.Instance);

    public string Folder { get; } = Directory.CreateTempSubdirectory("millrace-test-").FullName;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Runtime.Stop();
        Runtime.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
