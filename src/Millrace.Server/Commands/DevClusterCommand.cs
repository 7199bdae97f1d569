using System.CommandLine;
using System.Runtime.InteropServices;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Dev;
using Millrace.Server.Cli.Help;
using Millrace.Server.Options;

namespace Millrace.Server.Commands;

/// <summary><c>millrace dev cluster</c>: a small cluster on one machine, until it is told to stop.</summary>
[Example("millrace dev cluster", "Three brokers, on 127.0.0.1:9092, 9093 and 9094 where these are free, in ./millrace-cluster")]
[Example("millrace dev cluster --brokers 5 --wal file --data-dir /tmp/five", "Each with its WAL in a folder of its own")]
internal sealed class DevClusterCommand : Command
{
    private const string DefaultDirectory = "millrace-cluster";
    private const string WalInFile = "file";
    private const int MostBrokers = 32;

    private readonly Option<int> _brokers = new("--brokers")
    {
        Description = $"How many, {MostBrokers} at most",
        DefaultValueFactory = _ => 3,
        HelpName = "N",
    };

    private readonly Option<string> _wal = new("--wal")
    {
        Description = "Where their write-ahead logs lie: object (in the store; whoever lives takes over at once) or file (each broker's own, waited for)",
        DefaultValueFactory = _ => WalChoice.InStore,
        HelpName = "KIND",
    };

    private readonly Option<string> _directory = new("--data-dir")
    {
        Description = "Where the store, the brokers' files and their logs lie; what is there is gone on with",
        DefaultValueFactory = _ => DefaultDirectory,
        HelpName = "DIR",
    };

    public DevClusterCommand()
        : base("cluster", "Run a small cluster on this machine, a process a broker, until Ctrl-C")
    {
        _wal.AcceptOnlyFromAmong(WalChoice.InStore, WalInFile);
        Options.Add(_brokers);
        Options.Add(_wal);
        Options.Add(_directory);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken token)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        if (result.GetValue(_brokers) is not (>= 1 and <= MostBrokers))
        {
            return Messages.Error(json: false, ExitCode.Usage, $"--brokers takes a number from 1 to {MostBrokers}.");
        }

        var directory = Path.GetFullPath(result.GetValue(_directory)!);
        await using var cluster = new LocalCluster(directory, walsInFiles: result.GetValue(_wal) == WalInFile);
        try
        {
            await cluster.StartAsync(result.GetValue(_brokers), stop.Token);
            Messages.Note(json: false, $"Ctrl-C stops them. What they hold stays in {directory}.");
            await cluster.WatchAsync(stop.Token);
            return Messages.Error(json: false, ExitCode.Failed, "All brokers have ended.");
        }
        catch (CommandFailedException failure)
        {
            return Messages.Error(json: false, failure.ExitCode, failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Messages.Error(json: false, ExitCode.Failed, $"The folder {directory} cannot be used: {failure.Message}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Success;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
