using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Millrace.Controller.Log;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Linux;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;
using Millrace.Server.Composition;
using Millrace.Server.Logging;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Server.Commands;

/// <summary><c>millrace start</c>: runs a node until it is told to stop.</summary>
[Example("millrace start", "A cluster of one in ./millrace-data, for clients on 127.0.0.1:9092")]
[Example("millrace start --config server.properties --set num.partitions=3", "With a file, of which one setting is overridden")]
[Example("millrace start --store \"s3://bucket/prefix?endpoint=http://127.0.0.1:9000\" --wal object", "In a bucket alone; nothing stays on this machine")]
[Example("millrace start --store s3://bucket/prefix --wal block:///dev/nvme1n1 --wal object", "With a device, and the bucket for topics that choose it")]
internal sealed class StartCommand : Command
{
    public const string DefaultDataDirectory = "millrace-data";

    /// <summary>SIGXFSZ, by its number on Linux: the enum has no name for it.</summary>
    private const PosixSignal FileSizeExceeded = (PosixSignal)25;

    private readonly Option<FileInfo?> _config = new("--config")
    {
        Description = "A file of settings in the form of Kafka's server.properties",
        HelpName = "FILE",
    };
    private readonly Option<string?> _dataDirectory = new("--data-dir") { Description = "Where local files lie (default ./millrace-data)", HelpName = "DIR" };
    private readonly Option<string?> _store = new("--store")
    {
        Description = "The object store: file:///path, s3://bucket/prefix?endpoint=URL",
        HelpName = "URI",
    };
    private readonly Option<string[]> _wal = new("--wal")
    {
        Description = "Where records are durable first: file:///path, block:///dev/NAME, object, memory. Repeated: more of other kinds, for topics that choose "
            + "one (millrace.wal); all others lie in the first",
        HelpName = "URI",
    };
    private readonly Option<string?> _listen = new("--listen")
    {
        Description = "Where Kafka clients connect (default 127.0.0.1:9092); port 0 lets the system choose",
        HelpName = "HOST:PORT",
    };
    private readonly Option<string?> _advertise = new("--advertise")
    {
        Description = "The address that Kafka clients are told (default: where the broker listens)",
        HelpName = "HOST:PORT",
    };
    private readonly Option<string?> _internalListen = new("--internal-listen")
    {
        Description = "Where the other brokers of the cluster connect (default: a free port of the same host)",
        HelpName = "HOST:PORT",
    };
    private readonly Option<string?> _name = new("--name")
    {
        Description = "What the broker is called for good: by it a broker that starts again is the same (default: host and port)",
        HelpName = "NAME",
    };
    private readonly Option<int?> _nodeId = new("--node-id")
    {
        Description = "The broker's id, where it is not to be handed out by the cluster: by it, too, a broker that starts again is the same",
        HelpName = "N",
    };
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "A setting by its name; overrides the file; may be repeated",
        HelpName = "KEY=VALUE",
    };
    private readonly Option<string[]> _acceptLoss = new("--accept-loss")
    {
        Description = "Give up what only a missing WAL holds: the WAL's id, a topic, or TOPIC-PARTITION; may be repeated",
        HelpName = "NAME",
    };
    private readonly Option<LogFormat> _logFormat = new("--log-format")
    {
        Description = "How log lines look on standard error: text or json",
        HelpName = "FORMAT",
    };
    private readonly Option<LogLevel> _logLevel = new("--log-level")
    {
        Description = "The least level that is logged: trace, debug, information, warning, error, critical or none",
        DefaultValueFactory = _ => LogLevel.Information,
        HelpName = "LEVEL",
    };

    public StartCommand()
        : base("start", "Run a broker: it joins the cluster in an object store, or forms it there")
    {
        Option[] options =
        [
            _config, _dataDirectory, _store, _wal, _listen, _advertise, _internalListen, _name, _nodeId, _set, _acceptLoss, _logFormat, _logLevel,
        ];
        foreach (var option in options)
        {
            Options.Add(option);
        }

        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken token)
    {
        var time = MachineTime.Instance;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var format = result.GetValue(_logFormat);
        using var loggers = NodeLogging.Create(format, result.GetValue(_logLevel), time);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

        // A file that may grow no further (ulimit -f) is an error of that write, which says so, and not the process's sudden end.
        using var fileTooLarge = PosixSignalRegistration.Create(FileSizeExceeded, static signal => signal.Cancel = true);
        try
        {
            var options = ReadOptions(result);
            return await new NodeProcess(time, loggers, options).RunAsync(stop.Token);
        }
        catch (Exception refusal) when (refusal is SettingsException or CommandFailedException)
        {
            return Fail(ExitCode.Usage, refusal.Message);
        }
        catch (ObjectStorageException away) when (away.Error == ObjectStorageError.Transient)
        {
            return Fail(ExitCode.Unreachable, $"The object store did not answer in time ({ServerSettings.StoreWait}): {away.Message}");
        }
        catch (Exception refusal) when (refusal is NodeStartException or ForeignBucketException or ObjectStorageException
            or WalUnavailableException or StreamException or SocketException
            or ObjectLogException { Error: ObjectLogError.Fenced or ObjectLogError.Closed })
        {
            return Fail(ExitCode.Failed, refusal.Message);
        }
        catch (Exception damage) when (damage is ObjectLogException or InvalidDataException or ProtocolException)
        {
            return Fail(
                ExitCode.Failed,
                $"The metadata cannot be used: {damage.Message.TrimEnd('.')}. Nothing of it was changed. Use the version of Millrace that wrote it, or restore "
                + "the object from a copy of the bucket. Do not take it away: what it says of records would be lost with it.");
        }
        catch (OutOfMemoryException)
        {
            return Fail(
                ExitCode.Failed,
                "The system gives no memory or no thread. Raise the limits of threads (ulimit -u, systemd's TasksMax=, a container's pids limit) " +
                "and of memory, and set none of address space (ulimit -v).");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Success;
        }

        int Fail(int exitCode, string message)
        {
            if (format == LogFormat.Json)
            {
                // Whoever reads the log as JSON reads this line, too.
                ServerMessages.CannotStart(loggers.CreateLogger<StartCommand>(), message);
            }
            else
            {
                Messages.Error(json: false, exitCode, message);
            }

            return exitCode;
        }

        void Stop(PosixSignalContext signal)
        {
            // A second signal of the kind finds the default behaviour of the system again once the node has stopped.
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private NodeOptions ReadOptions(ParseResult result)
    {
        var entries = new List<KeyValuePair<string, string>>();
        if (result.GetValue(_config) is { } file)
        {
            entries.AddRange(ReadFile(file));
        }

        Add(ServerSettings.DataDirectory, result.GetValue(_dataDirectory));
        Add(ServerSettings.Store, result.GetValue(_store));
        Add(ServerSettings.Wal, result.GetValue(_wal) is { Length: > 0 } wals ? string.Join(',', wals.Select(Escaped)) : null);
        Add(BrokerConfigs.Listeners, Plaintext(result, _listen));
        Add(BrokerConfigs.AdvertisedListeners, Plaintext(result, _advertise));
        Add(ServerSettings.InternalListener, result.GetValue(_internalListen));
        Add(ServerSettings.NodeName, result.GetValue(_name));
        Add(BrokerConfigs.NodeId, result.GetValue(_nodeId)?.ToString(CultureInfo.InvariantCulture));
        entries.AddRange(KeyValue.ParseAll(result.GetValue(_set), "--set"));
        return NodeOptions.From(NodeSettings.From(entries), DefaultDataDirectory) with { AcceptLoss = result.GetValue(_acceptLoss) ?? [] };

        void Add(string key, string? value)
        {
            if (value is not null)
            {
                entries.Add(KeyValuePair.Create(key, value));
            }
        }
    }

    /// <summary>As one of several in a setting, where commas stand between them.</summary>
    private static string Escaped(string uri) => uri.Replace(",", "%2C", StringComparison.Ordinal);

    /// <summary>The one listener that an option speaks of.</summary>
    private static string? Plaintext(ParseResult result, Option<string?> option) =>
        result.GetValue(option) is { } address ? $"{ListenerName.Plaintext}://{HostPort.Parse(address, option.Name)}" : null;

    private static IReadOnlyList<KeyValuePair<string, string>> ReadFile(FileInfo file)
    {
        if (Directory.Exists(file.FullName))
        {
            throw new SettingsException($"The configuration cannot be read: '{file.FullName}' is a folder.");
        }

        try
        {
            return PropertiesFile.Parse(File.ReadAllText(file.FullName));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The configuration cannot be read: {failure.Message}", failure);
        }
    }
}
