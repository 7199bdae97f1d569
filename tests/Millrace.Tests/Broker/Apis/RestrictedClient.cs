using System.Buffers;
using System.Net;
using Millrace.Metadata.Channel;
using Millrace.Broker.Apis;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Groups;
using Millrace.Broker.Loads;
using Millrace.Broker.Membership;
using Millrace.Broker.Purgatory;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Network.Serving;

namespace Millrace.Tests.Broker.Apis;

/// <summary>Sends requests through the whole pipeline, with the steps of a test, to the handlers of a broker.</summary>
internal sealed class RestrictedClient(PartitionsUnderTest broker, RequestSteps steps, IReadLease? lease = null)
{
    private readonly RequestPipeline _pipeline = new(ApiTable.Create(Components(broker, lease ?? new LastingLease())), steps);
    private readonly ClientConnection _connection = new("test", new IPEndPoint(IPAddress.Loopback, 1), ListenerName.Plaintext);

    public async Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var bytes = RawClient.Frame(request, version, correlationId: 1).AsSpan(sizeof(int));
        var frame = broker.Buffers.Rent(bytes.Length);
        bytes.CopyTo(frame.GetSpan());
        try
        {
            var call = _pipeline.Decode(frame, _connection);
            call.Start(CancellationToken.None);
            await call.Completion;
            var output = new ArrayBufferWriter<byte>();
            Write(call, output);
            call.ReleaseLeases();
            return Read<TResponse>(output.WrittenMemory, version);
        }
        finally
        {
            frame.Release();
        }
    }

    private static void Write(RequestCall call, ArrayBufferWriter<byte> output)
    {
        var writer = new KafkaWriter(output);
        call.WriteResponse(ref writer);
        writer.Flush();
    }

    private static TResponse Read<TResponse>(ReadOnlyMemory<byte> bytes, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(bytes);
        var response = TResponse.Read(ref reader, version);
        reader.ExpectEnd();
        return response;
    }

    private static BrokerComponents Components(PartitionsUnderTest broker, IReadLease lease) => new()
    {
        Runtime = broker.Runtime,
        Identity = broker.Identity,
        Metadata = broker.Feed,
        Departed = new DepartedNodes(broker.Runtime.Time, broker.Feed),
        // Nothing that is refused reaches it.
        Controller = null!,
        Lease = lease,
        Partitions = broker.Table,
        Buffers = broker.Buffers,
        FetchLimit = new FetchLimit(broker.Identity, broker.Feed, broker.Buffers, long.MaxValue),
        Racks = broker.Racks,
        Fetches = new FetchPurgatory(broker.Runtime),
        Metrics = broker.Metrics,
        Loads = new LoadMeter(broker.Runtime, broker.Table, broker.Node.Store, static () => default, static () => 0),
        Groups = new GroupCoordinator(broker.Runtime, GroupConfigs.Read(broker.Identity.Configs)),
    };
}
