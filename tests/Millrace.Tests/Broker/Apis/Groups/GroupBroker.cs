using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using Millrace.Network.Access;
using Millrace.Broker.Groups;
using Millrace.Broker.Membership;
using Millrace.Broker.Partitions;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;
using Millrace.Tests.Streams;

namespace Millrace.Tests.Broker.Apis.Groups;

/// <summary>The part of a broker that serves groups, over a real stream store; requests and answers go through the codec.</summary>
internal sealed class GroupBroker : IAsyncDisposable
{
    public const string Topic = "orders";
    private const int Partitions = 3;

    private readonly MetadataFeed _feed = new();
    private readonly PartitionTable _table;
    private readonly GroupElections _elections;

    private GroupBroker(TestRegistry registry, IObjectStorage storage, int epoch)
    {
        Node = new TestNode(registry, storage, epoch: epoch);
        Epoch = epoch;
        var settings = new Dictionary<string, string> { ["group.initial.rebalance.delay.ms"] = "0", ["offsets.topic.num.partitions"] = $"{Partitions}" };
        Identity = new BrokerIdentity(new NodeId(1), new NodeEpoch(epoch), new ConfigResolver(new NodeId(1), settings));
        _table = new PartitionTable(Node.Runtime, Node.Store, _feed, Identity);
        Groups = new GroupCoordinator(Node.Runtime, GroupConfigs.Read(Identity.Configs));
        Controller = new GroupTopicController(this);
        var warm = new WarmCoordinators(Identity, _feed, Controller, Node.Store, Groups);
        _elections = new GroupElections(Node.Runtime, Identity.Node, _feed, _table, Groups, warm, Node.Buffers);
        var node = new NodeImage(
            Identity.Node, Identity.Epoch, Guid.Empty, [new NodeEndpoint(ListenerName.Plaintext, "localhost", 9092)], null, NodeState.Live);
        Publish(image => image with { Nodes = image.Nodes.Add(node.Id, node) });
        _table.Start();
        _elections.Start();
    }

    public TestNode Node { get; }

    public int Epoch { get; }

    public BrokerIdentity Identity { get; }

    public GroupCoordinator Groups { get; }

    public IMetadataFeed Feed => _feed;

    public GroupTopicController Controller { get; }

    /// <summary>Begins with the topic <see cref="Topic"/> and without that of the offsets.</summary>
    public static GroupBroker Start(TestRegistry registry, IObjectStorage storage, int epoch = 1)
    {
        var broker = new GroupBroker(registry, storage, epoch);
        broker.AddTopic(Topic, new Guid("00000000-0000-0000-0000-00000000000a"), [.. Enumerable.Range(100, 2).Select(id => new StreamId(id))], leader: null);
        return broker;
    }

    public void AddTopic(string name, Guid id, IReadOnlyList<StreamId> streams, NodeId? leader)
    {
        var partitions = streams.Select((stream, index) => new PartitionImage(index, stream, leader, new StreamEpoch(Epoch), [new NodeId(1)]));
        var topic = new TopicImage(id, name, 1, [.. partitions], ImmutableSortedDictionary<string, string>.Empty);
        Publish(image => image with { Topics = image.Topics.Add(name, topic), TopicNames = image.TopicNames.Add(id, name) });
    }

    public void RemoveTopic(string name) =>
        Publish(image => image with { Topics = image.Topics.Remove(name), TopicNames = image.TopicNames.Remove(image.Topics[name].Id) });

    public async Task<TResponse> AskAsync<TRequest, TResponse>(IApiHandler<TRequest, TResponse> handler, TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var body = Encode(request, version);
        var frame = Node.Buffers.Rent(body.Length);
        body.CopyTo(frame.GetSpan());
        var context = new DirectContext
        {
            ApiVersion = version,
            CorrelationId = 1,
            ClientId = "tester",
            Access = new AccessCheck(
                new OpenSteps(), Principal.Anonymous, new ClientConnection("1", new IPEndPoint(IPAddress.Loopback, 4711), ListenerName.Plaintext)),
            Frame = frame,
        };
        try
        {
            var reader = new KafkaReader(frame.Memory);
            var response = await handler.HandleAsync(context, TRequest.Read(ref reader, version), CancellationToken.None);
            return Decode<TResponse>(Encode(response, version), version);
        }
        finally
        {
            // Nothing that a group keeps may lie in the frame.
            frame.GetSpan().Fill(0xEE);
            frame.Release();
        }
    }

    /// <summary>Stops with everything uploaded, as a broker does that is shut down.</summary>
    public async Task CloseAsync()
    {
        _elections.Dispose();
        await _table.CloseAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await Node.DisposeAsync();
    }

    private void Publish(Func<MetadataImage, MetadataImage> change) =>
        _feed.Publish(change(_feed.Image) with { Version = _feed.Image.Version with { Index = _feed.Image.Version.Index + 1 } });

    private static byte[] Encode(IMessage message, short version)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        message.Write(ref writer, version);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static T Decode<T>(byte[] bytes, short version)
        where T : class, IResponse<T>
    {
        var reader = new KafkaReader(bytes);
        var message = T.Read(ref reader, version);
        reader.ExpectEnd();
        return message;
    }
}
