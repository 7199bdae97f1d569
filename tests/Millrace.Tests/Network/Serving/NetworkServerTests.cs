using Millrace.Metadata.Image;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

public sealed class NetworkServerTests
{
    [Fact]
    public async Task Draining_lets_calls_end_that_let_themselves_be_cancelled_and_accepts_nobody()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var waiting = await server.ConnectAsync();
        await waiting.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
        using var idle = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1 && server.Server.ConnectionCount == 2));

        await server.Server.DrainAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(0, server.Server.ConnectionCount);
        Assert.True(await idle.IsEndedInOrderAsync());
        Assert.True(await waiting.IsEndedInOrderAsync());
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(server.ConnectAsync);
    }

    [Fact]
    public async Task A_connection_whose_end_fails_gives_its_place_back_and_keeps_no_stop_waiting()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var listener = new UnendingListener();
        server.Server.Serve(listener, ListenerName.Plaintext);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1));

        await listener.Input.Writer.CompleteAsync();

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 0));
        await server.Server.DrainAsync(TimeSpan.FromSeconds(30)).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_connection_for_which_there_is_no_memory_is_closed_and_others_are_taken_in()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var listener = new PoorListener();
        server.Server.Serve(listener, ListenerName.Plaintext);

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Log.Saying("could not be taken in: none, says the test").Count == 1));
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1));
        Assert.True(listener.First.IsDisposed);
        Assert.True(await server.AnswersAsync());
        Assert.False(server.HasFailed);
        listener.Leave();
    }

    [Fact]
    public async Task Draining_ends_also_where_the_end_of_a_connection_cannot_be_told()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var producer = await server.ConnectAsync();
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 30_000, TopicData = [new() { Name = "t", PartitionData = [] }] };
        await producer.SendAsync(request, version: 9, correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Produces.Parked == 1));
        var draining = server.Server.DrainAsync(TimeSpan.FromSeconds(30)).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.Draining.IsCancellationRequested));
        server.Log.Before = _ => throw new InsufficientMemoryException();
        server.Produces.Release();

        await draining.WaitAsync(TimeSpan.FromSeconds(20), Xunit.TestContext.Current.CancellationToken);
        server.Log.Before = null;
        Assert.Equal(0, server.Server.ConnectionCount);
    }
}
