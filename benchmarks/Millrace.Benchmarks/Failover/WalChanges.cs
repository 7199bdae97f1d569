using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Benchmarks.Failover;

/// <summary>Topics that change their WAL again and again, whatever else befalls the cluster: between the device and the store, each time all of them.</summary>
/// <remarks>Threading: a loop of its own.</remarks>
internal sealed class WalChanges : IDisposable
{
    private static readonly string[] Kinds = ["object", "block"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly ClusterUnderTest _cluster;
    private readonly string[] _topics;
    private readonly int _partitions;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<double> _seconds = [];
    private readonly Task _loop;

    /// <param name="cluster">Whose brokers have both.</param>
    /// <param name="topics">Lie on the devices.</param>
    /// <param name="partitions">How many all of them have.</param>
    public WalChanges(ClusterUnderTest cluster, string[] topics, int partitions)
    {
        (_cluster, _topics, _partitions) = (cluster, topics, partitions);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Ends with the change that is under way.</summary>
    /// <returns>How many there were, and how long each took, for people.</returns>
    /// <exception cref="InvalidOperationException">There was none, or one has not come to its end.</exception>
    public string Stop()
    {
        _stopping.Cancel();
        _loop.GetAwaiter().GetResult();
        if (_seconds.Count == 0)
        {
            throw new InvalidOperationException("No topic has changed its WAL");
        }

        var times = new Sample(_seconds);
        return FormattableString.Invariant(
            $"{_seconds.Count} times all partitions changed their WAL; asked for and done: p50 {times.At(0.5):F2} s, largest {times.At(1):F2} s");
    }

    public void Dispose() => _stopping.Cancel();

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var kind = Kinds[_seconds.Count % Kinds.Length];
            var clock = Stopwatch.StartNew();
            while (!await TryAskAsync(kind) || !HaveArrived(kind))
            {
                if (clock.Elapsed > Patience)
                {
                    throw new InvalidOperationException($"Not all partitions lie in the WAL of kind {kind} after {Patience.TotalSeconds:F0} s");
                }

                await Task.Delay(Pace);
            }

            _seconds.Add(clock.Elapsed.TotalSeconds);
        }
    }

    /// <summary>May be asked again: who was asked may have died before it answered.</summary>
    private async Task<bool> TryAskAsync(string kind)
    {
        using var admin = new AdminClientBuilder(_cluster.Client()).SetLogHandler((_, _) => { }).Build();
        try
        {
            await admin.IncrementalAlterConfigsAsync(
                _topics.ToDictionary(
                    topic => new ConfigResource { Type = ResourceType.Topic, Name = topic },
                    _ => new List<ConfigEntry> { new() { Name = "millrace.wal", Value = kind, IncrementalOperation = AlterConfigOpType.Set } }),
                new IncrementalAlterConfigsOptions { RequestTimeout = TimeSpan.FromSeconds(5) });
            return true;
        }
        catch (KafkaException)
        {
            // Whoever was asked is away, or the controller is, as they are meant to be.
            return false;
        }
    }

    /// <summary>As the brokers do it: groups' partitions stay on the devices all the time.</summary>
    private bool HaveArrived(string kind)
    {
        try
        {
            var streams = _cluster.Metrics().Where(metric => metric.Name == "millrace_wal_streams")
                .ToLookup(metric => metric.Label("kind"), metric => (int)metric.Value);
            return streams["object"].Sum() == (kind == "object" ? _partitions : 0) && (kind == "object" || streams["block"].Sum() >= _partitions);
        }
        catch (Exception away) when (away is HttpRequestException or IOException)
        {
            return false;
        }
    }
}
