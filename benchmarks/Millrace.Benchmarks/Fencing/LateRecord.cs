using Confluent.Kafka;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Fencing;

/// <summary>
/// A record that is sent to a broker that is frozen, on a connection that it has from before: what the broker says to it when it wakes tells whether it
/// acknowledges what it must not. The client sends it once, and to nobody else.
/// </summary>
internal sealed class LateRecord : IDisposable
{
    private const int Bytes = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string _topic;
    private readonly IProducer<Null, byte[]> _producer;
    private Task<DeliveryResult<Null, byte[]>>? _answer;

    /// <param name="client">Of the one broker.</param>
    /// <param name="topic">A new one that it leads, of one partition. A first record is written there, while all is well.</param>
    public LateRecord(ClientConfig client, string topic)
    {
        _topic = topic;
        _producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig(client)
        {
            MessageSendMaxRetries = 0,
            MessageTimeoutMs = (int)Patience.TotalMilliseconds,
            RequestTimeoutMs = (int)Patience.TotalMilliseconds,
            SocketTimeoutMs = (int)Patience.TotalMilliseconds,
        }).SetLogHandler((_, _) => { }).Build();
        ProduceAsync(0).Wait(Patience);
    }

    public void Send() => _answer = ProduceAsync(1);

    /// <summary>Waits for the answer, and looks whether the topic holds what was acknowledged.</summary>
    /// <param name="bootstrapServers">Of the cluster.</param>
    /// <param name="limit">For the answer.</param>
    /// <returns>Whether it was acknowledged, and the answer in words.</returns>
    /// <exception cref="InvalidDataException">It was, and is not there.</exception>
    public async Task<(bool IsAcknowledged, string Answer)> CheckAsync(string bootstrapServers, TimeSpan limit)
    {
        var (acknowledged, answer) = (false, "");
        try
        {
            var result = await _answer!.WaitAsync(limit);
            (acknowledged, answer) = (true, $"acknowledged at offset {result.Offset}");
        }
        catch (ProduceException<Null, byte[]> refusal)
        {
            answer = $"{refusal.Error.Code}";
        }

        var found = LogCheck.Read(bootstrapServers, _topic, partitions: 1)[0];
        return found >= (acknowledged ? 2 : 1)
            ? (acknowledged, answer)
            : throw new InvalidDataException($"{_topic} holds {found} records, and the one sent while its leader was frozen was {answer}");
    }

    public void Dispose() => _producer.Dispose();

    private Task<DeliveryResult<Null, byte[]>> ProduceAsync(long number) =>
        _producer.ProduceAsync(new TopicPartition(_topic, 0), new Message<Null, byte[]> { Value = NumberedRecord.Make(number, Bytes) });
}
