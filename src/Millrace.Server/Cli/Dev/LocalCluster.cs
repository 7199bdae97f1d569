using Millrace.Metadata.Configs;
using Millrace.Runtime;
using Millrace.Server.Options;

namespace Millrace.Server.Cli.Dev;

/// <summary>A few brokers on one folder, each a process of its own, for as long as somebody works with them.</summary>
/// <param name="directory">Holds the store, and a folder for each broker. What is there is gone on with.</param>
/// <param name="walsInFiles">Each broker has its WAL in its folder, and not in the store.</param>
internal sealed class LocalCluster(string directory, bool walsInFiles) : IAsyncDisposable
{
    private const int FirstPort = 9092;

    // A broker stops within 20 seconds (millrace.stop.limit.ms) and a moment.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(25);

    private readonly List<LocalBroker> _brokers = [];

    /// <summary>Starts so many, all at once, and says a line of each when it is ready and one that leads to all.</summary>
    /// <exception cref="CommandFailedException">One has ended instead.</exception>
    public async Task StartAsync(int count, CancellationToken token)
    {
        for (var number = 1; number <= count; number++)
        {
            _brokers.Add(Start(number));
        }

        var addresses = new List<string>();
        foreach (var broker in _brokers)
        {
            var ready = await broker.WaitUntilReadyAsync(token) ?? throw new CommandFailedException(ExitCode.Failed, await WhyAsync(broker));
            addresses.Add(ready.Address);
            Console.Out.WriteLine($"{broker.Name} {ready.Address} pid {broker.ProcessId} ready, node {ready.Node}, {ready.Http}, log {broker.Log}");
        }

        Console.Out.WriteLine($"bootstrap {string.Join(',', addresses)}");
    }

    /// <summary>Tells of each broker that ends, until all have or the token is cancelled.</summary>
    public async Task WatchAsync(CancellationToken token)
    {
        var ends = _brokers.ToDictionary(broker => (Task)broker.Ended);
        await foreach (var end in Task.WhenEach(ends.Keys).WithCancellation(token))
        {
            var broker = ends[end];
            var exitCode = await broker.Ended;
            Messages.Note(
                json: false, $"{broker.Name} (pid {broker.ProcessId}) has ended with exit code {exitCode}; the others go on. Its log is {broker.Log}");
        }
    }

    /// <summary>
    /// Asks all to end in good order, waits for them, and kills what has not ended by then. Says which did not end well, and at last that all have.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        var running = _brokers.FindAll(broker => !broker.Ended.IsCompleted);
        _brokers.ForEach(broker => broker.AskToEnd());
        using var limit = new CancellationTokenSource(StopLimit, CommandClock.Time);
        try
        {
            await Task.WhenAll(_brokers.Select(broker => broker.Ended)).OrCancelled(limit.Token);
        }
        catch (OperationCanceledException)
        {
            foreach (var broker in _brokers.Where(broker => !broker.Ended.IsCompleted))
            {
                Messages.Note(json: false, $"{broker.Name} (pid {broker.ProcessId}) does not end, and is killed. Its log is {broker.Log}");
                broker.Kill();
                await broker.Ended;
            }
        }

        foreach (var broker in running)
        {
            if (await broker.Ended is var exitCode and not ExitCode.Success)
            {
                Messages.Note(json: false, $"{broker.Name} (pid {broker.ProcessId}) has ended with exit code {exitCode}. Its log is {broker.Log}");
            }
        }

        if (running.Count > 0)
        {
            Messages.Note(json: false, $"Stopped: {string.Join(", ", running.Select(broker => broker.Name))}. What they hold is in {directory}.");
        }

        _brokers.ForEach(broker => broker.Dispose());
    }

    private LocalBroker Start(int number)
    {
        var name = $"broker-{number}";
        var port = FirstPort + number - 1;
        if (!LocalPort.IsFree(port))
        {
            Messages.Note(json: false, $"Port {port} is taken: the system chooses one for {name}.");
            port = 0;
        }

        IEnumerable<string> arguments =
        [
            "--store", new Uri(Path.Combine(directory, "store")).AbsoluteUri,
            "--listen", $"127.0.0.1:{port}",
            "--internal-listen", "127.0.0.1:0",
            "--set", $"{BrokerConfigs.NodeId}={number}",
            "--set", $"{ServerSettings.HttpListener}=127.0.0.1:0",
            // Brokers that share a machine with builds and tests pause for seconds: only those that really hang are to be given up.
            "--set", $"{ServerSettings.Lease}=5000",
            "--set", $"{ServerSettings.Fence}=6000",
            "--set", $"{ServerSettings.ControllerSuspicion}=6000",
        ];
        // Beside a store in a directory a WAL is a file unless something else is said.
        return LocalBroker.Start(name, Path.Combine(directory, name), walsInFiles ? arguments : [.. arguments, "--wal", WalChoice.InStore]);
    }

    private static async Task<string> WhyAsync(LocalBroker broker) => await broker.Ended == LocalBroker.AlreadyRuns
        ? $"{broker.Name} runs already, started earlier on the same folder. Stop it first, or choose another folder with --data-dir."
        : $"{broker.Name} did not start: {broker.LastWords()} Its log is {broker.Log}";
}
