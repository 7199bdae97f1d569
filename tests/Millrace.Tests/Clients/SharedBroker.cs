using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>One broker for a group of tests that only need some broker; each uses topics and groups of its own.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private IBroker? _broker;

    public string BootstrapServers => _broker!.BootstrapServers;

    public async ValueTask InitializeAsync() => _broker = Environment.GetEnvironmentVariable("MILLRACE_TEST_AGAINST") == "kafka"
        ? await KafkaProcess.StartAsync()
        : await MillraceProcess.StartAsync(_directory.Path, "--set", "group.initial.rebalance.delay.ms=0");

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        _directory.Dispose();
    }
}
