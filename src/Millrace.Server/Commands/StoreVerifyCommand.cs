using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Controller.Log;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Diagnosis;
using Millrace.Server.Cli.Help;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Verification;

namespace Millrace.Server.Commands;

/// <summary><c>millrace store verify</c>: reads the whole bucket and proves it against its metadata.</summary>
[Example("millrace store verify", "The store in ./millrace-data")]
[Example("millrace store verify --store \"s3://bucket/prefix?endpoint=http://127.0.0.1:9000\" --json", "A bucket, for a script")]
internal sealed class StoreVerifyCommand : Command
{
    private readonly Option<string?> _store = new("--store")
    {
        Description = "The object store: file:///path, s3://bucket/prefix?endpoint=URL",
        HelpName = "URI",
    };

    private readonly Option<string?> _dataDirectory = new("--data-dir")
    {
        Description = "The broker's directory, for its default store (default ./millrace-data)",
        HelpName = "DIR",
    };

    private readonly TimeoutOption _timeout = new("Seconds to wait for the store, at a stretch");

    private readonly JsonOption _json = new();

    public StoreVerifyCommand()
        : base(
            "verify",
            "Prove a bucket against its metadata: every index, checksum and digest, no gap, no leak. " +
            "A broker may be running on it; what only its WAL holds yet is not counted")
    {
        Options.Add(_store);
        Options.Add(_dataDirectory);
        Options.Add(_timeout);
        Options.Add(_json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken token)
    {
        try
        {
            var report = await VerifyAsync(Location(result), _timeout.Of(result), token);
            foreach (var problem in report.Problems)
            {
                Messages.Error(result.GetValue(_json), ExitCode.Damaged, $"{problem}");
            }

            // What a stream calls a record is a batch of Kafka's.
            new Report("Whole", "Streams", "Objects", "Batches", "Bytes", "Problems")
                .Add(report.IsWhole, report.Streams, report.Objects, report.Records, report.Bytes, report.Problems.Count)
                .Write(result.GetValue(_json));
            return report.IsWhole ? ExitCode.Success : ExitCode.Damaged;
        }
        catch (Exception refusal) when (refusal is SettingsException or CommandFailedException or FormatException)
        {
            return Messages.Error(result.GetValue(_json), refusal is CommandFailedException command ? command.ExitCode : ExitCode.Usage, refusal.Message);
        }
        catch (Exception refusal) when (refusal is ForeignBucketException or NodeStartException)
        {
            return Messages.Error(result.GetValue(_json), ExitCode.Failed, refusal.Message);
        }
        catch (Exception failure) when (failure is ObjectStorageException or StreamException { Error: StreamError.StorageUnavailable })
        {
            return Messages.Error(result.GetValue(_json), ExitCode.Unreachable, failure.Message);
        }
        catch (Exception damage) when (damage is ObjectLogException or InvalidDataException or ProtocolException or StreamException)
        {
            return Messages.Error(result.GetValue(_json), ExitCode.Damaged, $"The metadata cannot be read: {damage.Message}");
        }
    }

    private string Location(ParseResult result)
    {
        var entries = new List<KeyValuePair<string, string>>();
        if (result.GetValue(_store) is { } store)
        {
            entries.Add(KeyValuePair.Create(ServerSettings.Store, store));
        }

        if (result.GetValue(_dataDirectory) is { } directory)
        {
            entries.Add(KeyValuePair.Create(ServerSettings.DataDirectory, directory));
        }

        return NodeOptions.From(NodeSettings.From(entries), StartCommand.DefaultDataDirectory).Store;
    }

    private static async Task<VerificationReport> VerifyAsync(string location, TimeSpan patience, CancellationToken token)
    {
        OpenSslLibrary.Check();
#pragma warning disable RS0030 // The composition root names the system clock.
        var time = TimeProvider.System;
#pragma warning restore RS0030
        using var runtime = new NodeRuntime(
            time, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        var uri = StorageUri.Parse(location);
        if (Uri.TryCreate(location, UriKind.Absolute, out var folder) && folder.IsFile && !Directory.Exists(folder.LocalPath))
        {
            // Opening it would make it, and a check leaves nothing behind.
            throw new CommandFailedException(ExitCode.NotFound, $"No cluster lives in {uri}: there is no such folder.");
        }

        await using var storage = new MeasuredObjectStorage(runtime, await uri.OpenAsync(runtime, token));
        return await new StoreVigil(runtime, storage, patience).DoAsync(limited => VerifyAsync(runtime, storage, limited), token);
    }

    private static async Task<VerificationReport> VerifyAsync(NodeRuntime runtime, MeasuredObjectStorage storage, CancellationToken token)
    {
        await new BucketMark(runtime, storage, Timeout.InfiniteTimeSpan).CheckAsync(token);
        await using var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), token);
        if (log.Owner is null)
        {
            throw new CommandFailedException(ExitCode.NotFound, $"No cluster lives in {storage.Name}: nothing has been written there.");
        }

        return await new StoreVerifier(runtime, new StreamsOptions(), storage).VerifyAsync(
            log.ToInventory(),
            async cancel =>
            {
                await using var later = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), cancel);
                return later.ToInventory();
            },
            token);
    }
}
