using System.CommandLine;
using System.Text;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace produce TOPIC</c>: one record a line of standard input.</summary>
[Example("printf \"k:v\\n\" | millrace produce orders -k : -H source=shell", "A record with a key and a header")]
[Example("millrace consume orders --exit --json | millrace produce copy --format json", "Records as they were, with keys, headers and times")]
internal sealed class ProduceCommand : ClientCommand
{
    private readonly Argument<string> _topic = new("topic") { Description = "The topic to write to" };

    private readonly Option<string?> _keySeparator = new("--key-separator", "-k")
    {
        Description = "What stands between key and value on a line; without it lines are values",
        HelpName = "TEXT",
    };

    private readonly Option<string[]> _headers = new("--header", "-H")
    {
        Description = "A header for every record, NAME=VALUE; may be repeated",
        HelpName = "NAME=VALUE",
    };

    private readonly Option<int?> _partition = new("--partition", "-p") { Description = "The partition; by key if not given", HelpName = "N" };

    private readonly Option<CompressionType> _compression = new("--compression", "-z")
    {
        Description = "none, gzip, snappy, lz4 or zstd (default none)",
        HelpName = "CODEC",
    };

    private readonly Option<string> _format = new("--format", "-f")
    {
        Description = "lines, or json: an object a line with value and, if wanted, key, headers, partition, timestamp (ms), " +
            "as consume --json prints them; {\"base64\": …} for what is not text",
        DefaultValueFactory = _ => "lines",
        HelpName = "FORMAT",
    };

    private readonly Option<bool> _nullEmpty = new("--empty-is-null") { Description = "An empty value is a null value: a tombstone in compacted topics" };

    private readonly Option<bool> _create = new("--create")
    {
        Description = "Have a topic created that is not there, with the broker's defaults, if its auto.create.topics.enable is set",
    };

    public ProduceCommand()
        : base("produce", "Write standard input to a topic, a record a line")
    {
        _format.AcceptOnlyFromAmong("lines", "json");
        _topic.CompletionSources.AddTopics(Client);
        Arguments.Add(_topic);
        Options.Add(_keySeparator);
        Options.Add(_headers);
        Options.Add(_partition);
        Options.Add(_compression);
        Options.Add(_format);
        Options.Add(_nullEmpty);
        Options.Add(_create);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [result.GetValue(_topic)!];

    protected override bool IsLasting => true;

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var tally = new DeliveryTally();
        using var producer = Producer(result);
        var lines = new RecordLines(
            result.GetValue(_format) == "json", result.GetValue(_keySeparator), Headers(result), result.GetValue(_nullEmpty));
        var destination = new TopicPartition(result.GetValue(_topic)!, result.GetValue(_partition) ?? Partition.Any);
        if (!result.GetValue(_create))
        {
            Find(producer, destination, result);
        }

        var number = 0L;
        try
        {
            await foreach (var line in LineReader.ReadAsync(Console.OpenStandardInput(), token))
            {
                if (tally.FirstFailure is not null)
                {
                    break;
                }

                number++;
                var (message, partition) = lines.Parse(line, number);
                Send(producer, partition is { } given ? new TopicPartition(destination.Topic, given) : destination, message, number, tally);
            }
        }
        catch (CommandFailedException bad)
        {
            producer.Flush(token);
            var refused = tally.FirstFailure is { } first ? $" Line {first.Line} is not: {first.Error.Reason}." : "";
            throw new CommandFailedException(bad.ExitCode, $"{bad.Message.TrimEnd('.')}. {Progress(tally, number - 1)}{refused}", bad);
        }

        producer.Flush(token);
        if (tally.FirstFailure is { } failure)
        {
            Messages.Note(Client.Json(result), $"Line {failure.Line} was not acknowledged. {Progress(tally, number)}");
            throw new KafkaException(failure.Error);
        }

        if (Client.Json(result))
        {
            new Report("Topic", "Records").Add(destination.Topic, tally.Delivered).Write(json: true);
        }

        return ExitCode.Success;
    }

    private static string Progress(DeliveryTally tally, long sent) =>
        $"Of {sent} {(sent == 1 ? "record" : "records")} sent, {tally.Delivered} {(tally.Delivered == 1 ? "is" : "are")} acknowledged.";

    private IProducer<byte[]?, byte[]?> Producer(ParseResult result)
    {
        var config = new ProducerConfig(Client.Config(result))
        {
            EnableIdempotence = true,
            CompressionType = result.GetValue(_compression),
            LingerMs = 5,
            MessageTimeoutMs = (int)Client.Patience(result).TotalMilliseconds,
        };

        // The library has no name for it in producers, where it is on if nothing is said.
        config.Set("allow.auto.create.topics", result.GetValue(_create) ? "true" : "false");
        return new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => Client.Hear(error)).Build();
    }

    private void Find(IProducer<byte[]?, byte[]?> producer, TopicPartition destination, ParseResult result)
    {
        int[] wanted = destination.Partition == Partition.Any ? [] : [destination.Partition.Value];
        _ = KnownTopic.Partitions(producer.Handle, destination.Topic, wanted, Client.Timeout(result), " --create makes it, if the broker permits that.");
    }

    private void Send(
        IProducer<byte[]?, byte[]?> producer, TopicPartition destination, Message<byte[]?, byte[]?> message, long line, DeliveryTally tally)
    {
        while (true)
        {
            try
            {
                producer.Produce(destination, message, report =>
                {
                    tally.Add(report, line);
                    if (!report.Error.IsError)
                    {
                        Watch.Progressed();
                    }
                });
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                // The client's own queue bounds memory; wait for deliveries to make room.
                producer.Flush(TimeSpan.FromMilliseconds(20));
            }
            catch (ProduceException<byte[]?, byte[]?> large) when (large.Error.Code == ErrorCode.MsgSizeTooLarge)
            {
                throw new CommandFailedException(
                    ExitCode.Usage,
                    $"Line {line} makes a record of over 1,000,000 bytes, which is more than the client sends: raise its bound with "
                    + "-X message.max.bytes=BYTES, and the topic's with max.message.bytes if need be",
                    large);
            }
        }
    }

    private Headers Headers(ParseResult result)
    {
        var headers = new Headers();
        foreach (var (name, value) in KeyValue.ParseAll(result.GetValue(_headers), "--header"))
        {
            headers.Add(name, Encoding.UTF8.GetBytes(value));
        }

        return headers;
    }
}
