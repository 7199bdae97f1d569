using Millrace.Broker.Apis.Data;
using Millrace.Broker.Membership;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

public sealed class InitProducerIdHandlerTests : IDisposable
{
    private readonly RealNode _node = new();
    private readonly BufferPool _buffers = new(0);
    private readonly Blocks _blocks = new();
    private readonly InitProducerIdHandler _handler;

    public InitProducerIdHandlerTests()
    {
        var identity = new BrokerIdentity(new NodeId(3), new NodeEpoch(8), PartitionsUnderTest.Configs);
        _handler = new InitProducerIdHandler(_node.Runtime, new ProducerIdBlocks(identity, _blocks));
    }

    public void Dispose()
    {
        _node.Dispose();
        _buffers.Dispose();
    }

    [Fact]
    public async Task Every_producer_gets_an_id_of_its_own_from_blocks_of_this_incarnation()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 25).Select(_ => InitAsync(new InitProducerIdRequest { TransactionalId = null })));

        Assert.All(answers, answer => Assert.Equal((ErrorCode.None, (short)0), ((ErrorCode)answer.ErrorCode, answer.ProducerEpoch)));
        Assert.Equal(25, answers.Select(answer => answer.ProducerId).Distinct().Count());
        Assert.Equal(3, _blocks.Requests.Count);
        Assert.All(_blocks.Requests, request => Assert.Equal((3, 8L), (request.BrokerId, request.BrokerEpoch)));
    }

    [Fact]
    public async Task A_transactional_id_gets_the_final_error_that_FindCoordinator_gives_it()
    {
        var answer = await InitAsync(new InitProducerIdRequest { TransactionalId = "tx", TransactionTimeoutMs = 1_000 });

        Assert.Equal((ErrorCode.TransactionalIdAuthorizationFailed, -1L), ((ErrorCode)answer.ErrorCode, answer.ProducerId));
        Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = "" })).ErrorCode);
    }

    [Fact]
    public async Task An_id_without_its_epoch_is_not_in_order() =>
        Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = null, ProducerId = 5 })).ErrorCode);

    [Theory]
    [InlineData(ControllerError.ControllerLost)]
    [InlineData(ControllerError.Busy)]
    [InlineData(ControllerError.Fenced)]
    public async Task Without_a_controller_the_client_is_told_to_ask_again(ControllerError error)
    {
        _blocks.Refusal = new ControllerException(error, "not now");
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = null })).ErrorCode);

        _blocks.Refusal = null;
        Assert.Equal(ErrorCode.None, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = null })).ErrorCode);
    }

    [Fact]
    public async Task The_controllers_error_is_passed_on_and_the_next_call_asks_again()
    {
        _blocks.Error = ErrorCode.StaleBrokerEpoch;
        Assert.Equal(ErrorCode.StaleBrokerEpoch, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = null })).ErrorCode);

        _blocks.Error = ErrorCode.None;
        Assert.Equal(ErrorCode.None, (ErrorCode)(await InitAsync(new InitProducerIdRequest { TransactionalId = null })).ErrorCode);
    }

    private async Task<InitProducerIdResponse> InitAsync(InitProducerIdRequest request)
    {
        using var context = TestContext.Create(5, _buffers.Rent(1));
        return await _handler.HandleAsync(context, request, default);
    }

    /// <summary>A controller that hands out blocks of ten.</summary>
    private sealed class Blocks : IControllerChannel
    {
        private long _next = 100;

        public List<AllocateProducerIdsRequest> Requests { get; } = [];

        public ErrorCode Error { get; set; }

        /// <summary>What the next requests are refused with.</summary>
        public ControllerException? Refusal { get; set; }

        public async ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            await Task.Yield();
            if (Refusal is not null)
            {
                throw Refusal;
            }

            Requests.Add((AllocateProducerIdsRequest)(object)request);
            var start = _next;
            _next += 10;
            return (TResponse)(object)new AllocateProducerIdsResponse { ErrorCode = (short)Error, ProducerIdStart = start, ProducerIdLen = 10 };
        }
    }
}
