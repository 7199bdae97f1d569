using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Metadata.Channel;

public sealed class ControllerChannelTests
{
    private readonly MetadataFeed _feed = new();
    private readonly Link _link = new();
    private readonly ControllerChannel _channel;

    public ControllerChannelTests() => _channel = new ControllerChannel(_link, _feed);

    [Fact]
    public async Task An_answer_is_handed_on_when_the_nodes_own_feed_shows_what_it_rests_on()
    {
        Publish(3, 9);
        _link.Version = new MetadataVersion(4, 0);
        var asked = AskAsync(default);

        Publish(4, 0);

        Assert.Equal(5, (await asked.WaitAsync(TimeSpan.FromSeconds(30))).NodeId);
    }

    [Fact]
    public async Task An_answer_that_rests_on_what_is_known_is_not_waited_for()
    {
        Publish(4, 7);
        _link.Version = new MetadataVersion(3, 100);

        Assert.Equal(5, (await AskAsync(default).WaitAsync(TimeSpan.FromSeconds(30))).NodeId);
    }

    [Fact]
    public async Task The_wait_for_the_feed_ends_with_the_senders_patience_and_not_by_what_is_older_than_the_answer()
    {
        Publish(3, 9);
        _link.Version = new MetadataVersion(4, 0);
        using var patience = new CancellationTokenSource();
        var asked = AskAsync(patience.Token);

        Publish(3, 10);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_request_names_the_version_that_its_sender_knows()
    {
        Publish(3, 9);
        await AskAsync(default);

        Assert.Equal(new MetadataVersion(3, 9), _link.Known);
    }

    [Theory]
    [InlineData(ControllerError.Fenced)]
    [InlineData(ControllerError.ControllerLost)]
    [InlineData(ControllerError.Busy)]
    public async Task A_refusal_is_thrown_as_what_it_is_and_waits_for_no_feed(ControllerError error)
    {
        (_link.Version, _link.Error) = (new MetadataVersion(9, 9), error);

        var refusal = await Assert.ThrowsAsync<ControllerException>(() => AskAsync(default));

        Assert.Equal((error, "because"), (refusal.Error, refusal.Message));
    }

    private async Task<RegisterNodeResponse> AskAsync(CancellationToken patience) =>
        await _channel.SendAsync<RegisterNodeRequest, RegisterNodeResponse>(new RegisterNodeRequest(), patience);

    private void Publish(long term, long index) => _feed.Publish(MetadataImage.Empty with { Version = new MetadataVersion(term, index) });

    /// <summary>A link to a controller that answers what a test says.</summary>
    private sealed class Link : IControllerLink
    {
        public MetadataVersion Version { get; set; }

        public ControllerError Error { get; set; }

        public MetadataVersion Known { get; private set; }

        public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            await Task.Yield();
            Known = known;
            return Error == ControllerError.None
                ? new(Version, Error, null, (TResponse)(object)new RegisterNodeResponse { NodeId = 5 })
                : new(Version, Error, "because", null);
        }
    }
}
