using System.Collections;
using Millrace.Tests.Clients;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers of one cluster, each a process of its own that keeps its name and its address over restarts.</summary>
internal sealed class BrokerCluster : IReadOnlyList<MillraceProcess>, IAsyncDisposable
{
    private readonly TemporaryDirectory _directory;
    private readonly IReadOnlyList<(string Name, string Value)> _environment;
    private readonly Func<int, string[]> _arguments;
    private readonly List<MillraceProcess> _brokers = [];

    private BrokerCluster(
        TemporaryDirectory directory, IReadOnlyList<(string Name, string Value)> environment, Func<int, string[]> arguments) =>
        (_directory, _environment, _arguments) = (directory, environment, arguments);

    public int Count => _brokers.Count;

    public MillraceProcess this[int index] => _brokers[index];

    /// <summary>Starts so many, all at once.</summary>
    public static Task<BrokerCluster> StartAsync(TemporaryDirectory directory, int brokers, params string[] arguments) =>
        StartAsync(directory, brokers, [], _ => arguments);

    /// <summary>As above, with further environment variables, and each with arguments of its own.</summary>
    public static async Task<BrokerCluster> StartAsync(
        TemporaryDirectory directory, int brokers, IReadOnlyList<(string Name, string Value)> environment, Func<int, string[]> arguments)
    {
        var cluster = new BrokerCluster(directory, environment, arguments);
        var starts = Enumerable.Range(0, brokers).Select(index => cluster.StartAsync(index)).ToList();
        try
        {
            cluster._brokers.AddRange(await Task.WhenAll(starts));
            return cluster;
        }
        catch
        {
            // The others are not left behind.
            foreach (var start in starts.Where(start => start.IsCompletedSuccessfully))
            {
                await (await start).DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Starts one again that has been killed.</summary>
    public async Task RestartAsync(int index) => _brokers[index] = await StartAsync(index, "--listen", _brokers[index].BootstrapServers);

    public IEnumerator<MillraceProcess> GetEnumerator() => _brokers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _brokers)
        {
            await broker.DisposeAsync();
        }
    }

    private Task<MillraceProcess> StartAsync(int index, params string[] more) =>
        MillraceProcess.StartAsync(_directory.Sub($"broker{index}"), _environment, [.. _arguments(index), "--name", $"broker{index}", .. more]);
}
