using System.Buffers.Binary;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

/// <summary>Which requests are served, and what becomes of others.</summary>
public sealed class ServedRequestsTests
{
    [Fact]
    public async Task ApiVersions_of_an_unknown_version_is_answered_in_the_oldest_one()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var frame = RawClient.Frame(new ApiVersionsRequest { ClientSoftwareName = "x", ClientSoftwareVersion = "1" }, version: 4, correlationId: 7);
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(6), 99);
        await client.SendBytesAsync(frame);

        var (correlationId, response) = await client.ReceiveAsync<ApiVersionsResponse>(0);

        Assert.Equal(7, correlationId);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, response.ErrorCode);
        var api = Assert.Single(response.ApiKeys);
        Assert.Equal((18, 0, 4), (api.ApiKey, api.MinVersion, api.MaxVersion));
        await client.SendAsync(new ApiVersionsRequest { ClientSoftwareName = "x", ClientSoftwareVersion = "1" }, version: 4, correlationId: 8);
        Assert.Equal(8, (await client.ReceiveAsync<ApiVersionsResponse>(4)).CorrelationId);
    }

    [Theory]
    [InlineData("librdkafka", "2.15.0", ErrorCode.None)]
    [InlineData("a", "1", ErrorCode.None)]
    [InlineData("", "1", ErrorCode.InvalidRequest)]
    [InlineData("-x", "1", ErrorCode.InvalidRequest)]
    [InlineData("two words", "1", ErrorCode.InvalidRequest)]
    [InlineData("x\n", "1", ErrorCode.InvalidRequest)]
    public async Task ApiVersions_checks_the_names_of_software(string name, string version, ErrorCode expected)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync(new ApiVersionsRequest { ClientSoftwareName = name, ClientSoftwareVersion = version }, version: 3, correlationId: 1);

        Assert.Equal((short)expected, (await client.ReceiveAsync<ApiVersionsResponse>(3)).Response.ErrorCode);
    }

    [Theory]
    [InlineData(4, 0)] // LeaderAndIsr: was never for clients.
    [InlineData(999, 0)]
    [InlineData(-1, 0)]
    [InlineData(12, 5)]
    [InlineData(12, -1)]
    [InlineData(0, 2)]
    public async Task An_unknown_api_or_version_closes_the_connection_without_an_answer(short key, short version)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var body = new byte[10];
        BinaryPrimitives.WriteInt16BigEndian(body, key);
        BinaryPrimitives.WriteInt16BigEndian(body.AsSpan(2), version);
        await client.SendBytesAsync(RawClient.Frame(body));

        Assert.True(await client.IsClosedByServerAsync());
        Assert.True(await server.AnswersAsync());
    }
}
