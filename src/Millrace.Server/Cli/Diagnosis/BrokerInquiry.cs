using System.Net.Sockets;
using Confluent.Kafka;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Server.Options;
using Millrace.Network.Links;

namespace Millrace.Server.Cli.Diagnosis;

/// <summary>
/// Looks at brokers from outside, over a connection of its own: whether one is there, speaks Kafka's protocol, has its store, and leads
/// what a command is about. A client library repeats what fails and in the end knows only that time is up; this is how a command
/// finds out why.
/// </summary>
/// <remarks>
/// It asks for nothing that a broker of Apache Kafka would not answer: Metadata, and DescribeLogDirs, in whose answer a storage error
/// stands for a store that does not work. Where connections are encrypted or authenticated it sees no more than whether they are taken.
/// Threading: one look at a time.
/// </remarks>
internal sealed class BrokerInquiry
{
    /// <summary>Groups have a topic of their own, whose leaders coordinate them. It is made with the first group.</summary>
    public const string GroupsTopic = InternalTopics.ConsumerOffsets;

    private const short MetadataVersion = 4;
    private const short LogDirsVersion = 4;
    private const int NamesShown = 5;
    private const string OtherAddress = "Another address goes with --bootstrap-server.";
    private const string BrokerSaysMore = "The broker's log and its /readyz say more.";

    // A broker that works answers within milliseconds, one under a heavy load within a second.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _time;
    private readonly string _clientId;
    private readonly IReadOnlyList<HostPort> _addresses;
    private readonly IReadOnlyCollection<string> _topics;

    /// <param name="time">Bounds the looks.</param>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="topics">What the command is about; those that begin with ^ are patterns, of which no one knows what they stand for.</param>
    public BrokerInquiry(TimeProvider time, ClientConfig config, IEnumerable<string> topics)
    {
        _time = time;
        _clientId = config.ClientId;
        SeesAll = config.SecurityProtocol is null or SecurityProtocol.Plaintext;
        _topics = [.. topics.Where(topic => !topic.StartsWith('^')).Distinct()];
        Address = config.BootstrapServers;
        _addresses = BootstrapAddress.ParseAll(Address);
    }

    /// <summary>Where it looks, as it was given.</summary>
    public string Address { get; }

    /// <summary>Connections are plain, so that it can put questions.</summary>
    public bool SeesAll { get; }

    /// <summary>Looks once, for three seconds at most.</summary>
    /// <param name="limit">Shortens that.</param>
    /// <param name="token">Ends the look.</param>
    /// <returns>What the first broker shows that answers; if none does, what is wrong with them.</returns>
    public async Task<Finding> LookAsync(TimeSpan limit, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(limit < Patience ? limit : Patience, _time);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
        var looks = _addresses.Select(address => LookAsync(address, done.Token)).ToList();
        var failures = new List<Finding>();
        await foreach (var look in Task.WhenEach(looks))
        {
            var finding = await look;
            if (finding.IsWithoutAnswer)
            {
                failures.Add(finding);
                continue;
            }

            done.Cancel();
            return finding;
        }

        token.ThrowIfCancellationRequested();
        return OfNone(failures);
    }

    private Finding OfNone(List<Finding> failures) =>
        failures.Find(finding => finding.Kind == FindingKind.Silent)
        ?? failures.Find(finding => finding.Kind == FindingKind.Foreign)
        ?? new Finding(
            FindingKind.Unreachable,
            $"No broker answered at {Address}: {string.Join("; ", failures.Select(finding => finding.Words).Distinct())}",
            $"Is one running there (`millrace start`)? {OtherAddress}")
        {
            IsOpen = failures.Exists(finding => finding.IsOpen),
        };

    private async Task<Finding> LookAsync(HostPort address, CancellationToken token)
    {
        PeerConnection? connection = null;
        try
        {
            connection = await BrokerConnections.OpenAsync(address.Host, address.Port, _clientId, token);
            return SeesAll ? await AskAsync(connection, address, token) : Well(address);
        }
        catch (SocketException refusal)
        {
            return new Finding(FindingKind.Unreachable, refusal.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "the connection is refused",
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"the host '{address.Host}' is not known",
                _ => refusal.Message,
            });
        }
        catch (OperationCanceledException)
        {
            return connection is null
                ? new Finding(FindingKind.Unreachable, $"{address} takes no connection and refuses none") { IsOpen = true }
                : new Finding(FindingKind.Silent, $"{address} takes connections and does not answer: it is starting, overloaded or frozen") { IsOpen = true };
        }
        catch (IOException lost) when (lost.InnerException is ProtocolException)
        {
            return new Finding(FindingKind.Foreign, $"What listens at {address} does not speak Kafka's protocol", $"Is it the HTTP port? {OtherAddress}");
        }
        catch (IOException)
        {
            return new Finding(
                FindingKind.Foreign, $"What listens at {address} closes the connection instead of answering",
                $"It may be stopping, want TLS (--property security.protocol=ssl), or be no Kafka broker. {OtherAddress}");
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private async Task<Finding> AskAsync(PeerConnection connection, HostPort address, CancellationToken token)
    {
        var metadata = await connection.CallAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [.. _topics.Select(topic => new MetadataRequest.MetadataRequestTopic { Name = topic })], AllowAutoTopicCreation = false },
            MetadataVersion, token);
        return await OfStoreAsync(connection, address, token) ?? OfTopics(metadata) ?? Well(address);
    }

    private static async Task<Finding?> OfStoreAsync(PeerConnection connection, HostPort address, CancellationToken token)
    {
        try
        {
            var directories = await connection.CallAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new() { Topics = [] }, LogDirsVersion, token);
            return directories.Results.FirstOrDefault(directory => directory.ErrorCode == (short)Protocol.ErrorCode.KafkaStorageError) switch
            {
                null => null,
                { UsableBytes: 0 } => new Finding(
                    FindingKind.StoreFull,
                    $"The broker at {address} answers, and has no room left in its store: what is written waits until there is some", BrokerSaysMore),
                _ => new Finding(
                    FindingKind.StoreAway,
                    $"The broker at {address} answers, but its store does not: what needs it waits until it is back", BrokerSaysMore),
            };
        }
        catch (IOException)
        {
            // An older broker of Kafka's. What it is asked first tells that it works.
            return null;
        }
    }

    private static Finding? OfTopics(MetadataResponse metadata)
    {
        var leaderless = new List<string>();
        foreach (var topic in metadata.Topics)
        {
            if (topic.ErrorCode == (short)Protocol.ErrorCode.UnknownTopicOrPartition && topic.Name != GroupsTopic)
            {
                return new Finding(FindingKind.TopicAbsent, $"There is no topic '{topic.Name}'", $"`millrace topic create {topic.Name}` makes it.");
            }

            leaderless.AddRange(topic.Partitions.Where(partition => partition.LeaderId < 0).Select(partition => $"{topic.Name}-{partition.PartitionIndex}"));
        }

        if (leaderless.Count == 0)
        {
            return null;
        }

        var more = leaderless.Count > NamesShown ? $" and {leaderless.Count - NamesShown} more" : "";
        return new Finding(
            FindingKind.NoLeader,
            $"No broker leads {string.Join(", ", leaderless.Take(NamesShown))}{more}: nothing can be read or written there now",
            BrokerSaysMore);
    }

    private static Finding Well(HostPort address) => new(FindingKind.Well, $"{address} answers");
}
