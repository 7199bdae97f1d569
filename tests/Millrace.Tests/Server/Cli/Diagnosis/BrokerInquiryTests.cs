using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using Millrace.ObjectStorage;
using Millrace.Protocol;
using Millrace.Server.Cli.Diagnosis;
using Millrace.Server.Options;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Server.Composition;
using Xunit;

namespace Millrace.Tests.Server.Cli.Diagnosis;

public sealed class BrokerInquiryTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly AdjustedObjectStorage _storage = new();

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    [Fact]
    public async Task Of_a_broker_that_answers_the_worst_is_told_the_store_before_a_topic()
    {
        await using var node = await NodeUnderTest.StartAsync(_storage, "object");
        await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { TimeoutMs = 30_000, Topics = [new() { Name = "a", NumPartitions = 2, ReplicationFactor = 1 }] }, 7);
        var address = node.Host.Address.ToString()!;

        Assert.Equal(FindingKind.Well, (await LookAsync(address, "a")).Kind);
        Assert.Equal(FindingKind.Well, (await LookAsync(address, "a", "^patterns.*", BrokerInquiry.GroupsTopic)).Kind);
        var absent = await LookAsync(address, "a", "b");
        Assert.Equal((FindingKind.TopicAbsent, "There is no topic 'b'"), (absent.Kind, absent.Words));
        _storage.Trouble = new StoreTrouble(IsFull: false, "away");
        Assert.Equal(FindingKind.StoreAway, (await LookAsync(address, "b")).Kind);
        _storage.Trouble = new StoreTrouble(IsFull: true, "full");
        Assert.Equal(FindingKind.StoreFull, (await LookAsync(address, "a")).Kind);

        // Looking makes no topic.
        Assert.Equal(["a"], node.Node.Metadata.Image.Topics.Keys);
    }

    [Fact]
    public async Task One_broker_that_answers_is_enough_whatever_the_others_do()
    {
        await using var node = await NodeUnderTest.StartAsync(_storage, "object");
        using var silent = Listen();
        using var closed = Bind();

        var finding = await LookAsync($"{closed.LocalEndPoint},{silent.LocalEndPoint}, PLAINTEXT://{node.Host.Address}");

        Assert.Equal(FindingKind.Well, finding.Kind);
    }

    [Fact]
    public async Task Who_refuses_says_nothing_speaks_otherwise_or_hangs_up_is_told_apart()
    {
        using var closed = Bind();
        var refused = await LookAsync($"{closed.LocalEndPoint}");
        Assert.Equal((FindingKind.Unreachable, $"No broker answered at {closed.LocalEndPoint}: the connection is refused"), (refused.Kind, refused.Words));

        using var silent = Listen();
        var quiet = await LookAsync($"{silent.LocalEndPoint}", TimeSpan.FromMilliseconds(300));
        Assert.Equal((FindingKind.Silent, true), (quiet.Kind, quiet.IsOpen));
        Assert.Equal(FindingKind.Silent, (await LookAsync($"{silent.LocalEndPoint},{closed.LocalEndPoint}", TimeSpan.FromMilliseconds(300))).Kind);

        using var web = Listen();
        var answering = AnswerAsync(web, "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
        var foreign = await LookAsync($"{web.LocalEndPoint}");
        Assert.Equal((FindingKind.Foreign, $"What listens at {web.LocalEndPoint} does not speak Kafka's protocol"), (foreign.Kind, foreign.Words));
        await answering;

        using var hanging = Listen();
        answering = AnswerAsync(hanging, []);
        Assert.Equal(FindingKind.Foreign, (await LookAsync($"{hanging.LocalEndPoint}")).Kind);
        await answering;
    }

    [Fact]
    public async Task Who_neither_takes_nor_refuses_a_connection_may_do_so_at_the_next_look_and_who_refuses_may_not()
    {
        // A backlog of nobody's that is full: the kernel drops what else comes.
        using var full = Bind();
        full.Listen(0);
        var waiting = Enumerable.Range(0, 8).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        waiting.ForEach(socket => _ = socket.ConnectAsync(full.LocalEndPoint!).ContinueWith(static _ => { }, TaskScheduler.Default));
        using var closed = Bind();

        var finding = await LookAsync($"{full.LocalEndPoint}", TimeSpan.FromMilliseconds(300));
        Assert.Equal((FindingKind.Unreachable, true), (finding.Kind, finding.IsOpen));
        Assert.Contains("takes no connection and refuses none", finding.Words, StringComparison.Ordinal);
        Assert.True((await LookAsync($"{full.LocalEndPoint},{closed.LocalEndPoint}", TimeSpan.FromMilliseconds(300))).IsOpen);
        Assert.False((await LookAsync($"{closed.LocalEndPoint}")).IsOpen);
        waiting.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task Of_who_encrypts_only_the_connection_is_looked_at()
    {
        using var silent = Listen();
        var inquiry = new BrokerInquiry(
            TimeProvider.System, new ClientConfig { BootstrapServers = $"{silent.LocalEndPoint}", SecurityProtocol = SecurityProtocol.Ssl }, ["a"]);

        Assert.Equal(FindingKind.Well, (await inquiry.LookAsync(Limit, TestContext.Current.CancellationToken)).Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    [InlineData("host:port")]
    [InlineData("::1:9092")]
    public void What_is_no_address_is_refused(string address) =>
        Assert.Throws<SettingsException>(() => new BrokerInquiry(TimeProvider.System, new ClientConfig { BootstrapServers = address }, []));

    private static Task<Finding> LookAsync(string addresses, params string[] topics) => LookAsync(addresses, Limit, topics);

    private static Task<Finding> LookAsync(string addresses, TimeSpan limit, params string[] topics) =>
        new BrokerInquiry(TimeProvider.System, new ClientConfig { BootstrapServers = addresses, ClientId = "test" }, topics)
            .LookAsync(limit, TestContext.Current.CancellationToken);

    // Bound, so that nobody else listens there meanwhile.
    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static Socket Listen()
    {
        var socket = Bind();
        socket.Listen();
        return socket;
    }

    private static async Task AnswerAsync(Socket listener, byte[] answer)
    {
        using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await connection.ReceiveAsync(new byte[1000].AsMemory(), TestContext.Current.CancellationToken);
        await connection.SendAsync(answer.AsMemory(), TestContext.Current.CancellationToken);
    }
}
