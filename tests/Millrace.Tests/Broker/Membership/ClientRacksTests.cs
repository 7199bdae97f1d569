using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Membership;

public sealed class ClientRacksTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("consumer-1", "")]
    [InlineData("zone", "")]
    [InlineData("zone=", "")]
    [InlineData("=eu-1a", "")]
    [InlineData("ozone=eu-1a", "")]
    [InlineData("zone=eu-1a", "eu-1a")]
    [InlineData("ws_az=eu-1a", "eu-1a")]
    [InlineData("my-app,ws_si=abc, ws_az = eu-1b ", "eu-1b")]
    [InlineData("app;zone=eu-1c;more", "eu-1c")]
    [InlineData("automq_type=consumer&automq_az=eu-1a&x", "eu-1a")]
    [InlineData("ws_az=,zone=eu-1a", "eu-1a")]
    [InlineData("ws_az=a=b", "a=b")]
    public void A_client_id_names_a_rack_in_each_dialect(string? clientId, string expected) =>
        Assert.Equal(expected, ClientRacks.InClientId(clientId).ToString());

    [Theory]
    [InlineData("stated", "zone=dialect", "EXTERNAL", "stated")]
    [InlineData("", "zone=dialect", "EXTERNAL", "dialect")]
    [InlineData("", "plain", "EXTERNAL", "r2")]
    [InlineData("", "plain", "PLAINTEXT", null)]
    public void What_a_fetch_says_counts_before_the_client_id_and_that_before_the_listener(string stated, string clientId, string listener, string? expected)
    {
        using var buffers = new BufferPool(0);
        using var context = TestContext.Create(12, buffers.Rent(1), clientId, TestContext.NewConnection(new ListenerName(listener)));

        Assert.Equal(expected, Racks(("millrace.listener.racks", "internal:r1, external:r2")).Of(context, stated));
    }

    [Fact]
    public void Nothing_crosses_racks_that_are_not_known()
    {
        Assert.True(Racks(("broker.rack", "r1")).IsElsewhere("r2"));
        Assert.False(Racks(("broker.rack", "r1")).IsElsewhere("r1"));
        Assert.False(Racks(("broker.rack", "r1")).IsElsewhere(rack: null));
        Assert.False(Racks().IsElsewhere("r2"));
        Assert.False(Racks(("broker.rack", "r1")).IsElsewhere(new NodeId(7)));
    }

    private static ClientRacks Racks(params (string Key, string Value)[] settings) => new(
        new BrokerIdentity(new NodeId(1), new NodeEpoch(1), new ConfigResolver(new NodeId(1), settings.ToDictionary(set => set.Key, set => set.Value))),
        new MetadataFeed());
}
