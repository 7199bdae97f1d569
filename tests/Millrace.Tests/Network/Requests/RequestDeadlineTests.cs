using Millrace.Broker.Apis.Topics;
using Millrace.Network.Requests;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Network.Requests;

/// <summary>What becomes of requests whose time-outs are short, or none.</summary>
public sealed class RequestDeadlineTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly PartitionsUnderTest _broker = PartitionsUnderTest.Start();
    private readonly HeldController _controller = new();

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Without_time_the_controller_is_asked_for_nothing(int timeoutMs)
    {
        Assert.Equal([ErrorCode.RequestTimedOut, ErrorCode.RequestTimedOut, ErrorCode.RequestTimedOut], await AskAsync(timeoutMs).WaitAsync(Patience));
        Assert.Equal(0, _controller.Asked);
    }

    [Fact]
    public async Task What_the_controller_has_begun_is_waited_for_however_short_the_time_out()
    {
        var answers = AskAsync(timeoutMs: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => _controller.Asked == 3 || answers.IsCompleted));
        await Task.Delay(TimeSpan.FromMilliseconds(20));
        _controller.Done.SetResult();

        // A request whose time was up before it came to the controller was not begun.
        var errors = await answers.WaitAsync(Patience);
        Assert.Equal(_controller.Asked, errors.Count(error => error == ErrorCode.None));
    }

    [Fact]
    public void A_time_that_is_over_comes_back_for_the_outcome_and_nobody_waits_for_what_is_abandoned()
    {
        using var abandoned = new CancellationTokenSource();
        using var deadline = new RequestDeadline(_broker.Runtime, TimeSpan.Zero, abandoned.Token);
        Assert.True(deadline.IsOver);
        Assert.ThrowsAny<OperationCanceledException>(() => deadline.Begin());

        deadline.AwaitOutcome();
        Assert.False(deadline.IsOver);
        abandoned.Cancel();

        Assert.True(deadline.IsOver);
        deadline.AwaitOutcome();
        Assert.True(deadline.IsOver);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    private async Task<ErrorCode[]> AskAsync(int timeoutMs)
    {
        using var context = Broker.TestContext.Create(2, _broker.Buffers.Rent(1));
        var deeds = new ControllerDeeds(_broker.Runtime, _controller);
        var created = new CreateTopicsHandler(deeds)
            .HandleAsync(context, new CreateTopicsRequest { TimeoutMs = timeoutMs, Topics = [new() { Name = "n" }] }, default).AsTask();
        var grown = new CreatePartitionsHandler(deeds)
            .HandleAsync(context, new CreatePartitionsRequest { TimeoutMs = timeoutMs, Topics = [new() { Name = "n" }] }, default).AsTask();
        var deleted = new DeleteTopicsHandler(_broker.Identity, _broker.Feed, deeds)
            .HandleAsync(context, new DeleteTopicsRequest { TimeoutMs = timeoutMs, TopicNames = ["n"] }, default).AsTask();
        return
        [
            (ErrorCode)(await created).Topics[0].ErrorCode,
            (ErrorCode)(await grown).Results[0].ErrorCode,
            (ErrorCode)(await deleted).Responses[0].ErrorCode,
        ];
    }

    /// <summary>A controller whose deeds are done when a test says so.</summary>
    private sealed class HeldController : IControllerChannel
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            Interlocked.Increment(ref _asked);
            await Done.Task.OrCancelled(token);
            return (TResponse)(object)(request switch
            {
                CreateTopicsRequest => new CreateTopicsResponse { Topics = [new() { Name = "n" }] },
                DeleteTopicsRequest => new DeleteTopicsResponse { Responses = [new() { Name = "n" }] },
                CreatePartitionsRequest => new CreatePartitionsResponse { Results = [new() { Name = "n" }] },
                _ => throw new NotSupportedException(),
            });
        }
    }
}
