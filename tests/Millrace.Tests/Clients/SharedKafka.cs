using System.Net;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// One Apache Kafka beside the shared broker, started by the first test that compares the two: its start costs as much as most tests. Each uses topics
/// of its own. The tests of <see cref="ClientTestGroup"/> run one after another, so nothing asks for it twice at once.
/// </summary>
public sealed class SharedKafka : IAsyncDisposable
{
    private KafkaProcess? _kafka;

    /// <summary>Skips the test where Apache Kafka, or Java, is not at hand, or where Kafka already takes the place of the shared broker.</summary>
    internal async Task<AnswersBesideKafka.Ask> AskAsync()
    {
        Assert.SkipWhen(
            Repository.Shared("peers/kafka/kafka.sh") is null || !Tool.IsInstalled("java") || TestAgainst.IsKafka,
            "Apache Kafka, or Java, is not at hand");
        _kafka ??= await KafkaProcess.StartAsync();
        return new AnswersBesideKafka.Ask(IPEndPoint.Parse(_kafka.BootstrapServers));
    }

    public async ValueTask DisposeAsync()
    {
        if (_kafka is not null)
        {
            await _kafka.DisposeAsync();
        }
    }
}
