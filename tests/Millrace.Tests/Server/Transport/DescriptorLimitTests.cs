using System.Net;
using Millrace.Protocol;
using Millrace.Server.Transport;
using Millrace.Tests.Network.Serving;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Server.Transport;

public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData(
        "Limit  Soft Limit  Hard Limit  Units\nMax processes  7  8  processes\n" +
        "Max open files            1024                 20000                files     \n",
        1024L)]
    [InlineData("Max open files            unlimited            unlimited            files\n", null)]
    [InlineData("", null)]
    public void The_limit_is_the_soft_one(string limits, long? expected) => Assert.Equal(expected, DescriptorLimit.Parse(limits));

    [Fact]
    public async Task More_connections_than_the_process_has_descriptors_for_wait_and_the_broker_lives()
    {
        using var directory = new TemporaryDirectory();
        const int Limit = DescriptorLimit.KeptBack + DescriptorLimit.FewestConnections;
        await using var broker = await MillraceProcess.StartWithinAsync(directory.Path, descriptors: Limit);
        Assert.True(
            await Eventually.BecomesTrueAsync(() => broker.Log.Contains($"The process may have {Limit} files open", StringComparison.Ordinal)), broker.Log);
        var flood = new List<RawClient>();
        try
        {
            // The rest of them finds room in the listener's backlog.
            for (var i = 0; i < DescriptorLimit.FewestConnections + 200; i++)
            {
                flood.Add(await RawClient.ConnectAsync(AddressOf(broker)));
            }

            Assert.True(await Eventually.BecomesTrueAsync(() => broker.Log.Contains("new ones wait until others end", StringComparison.Ordinal)));
            using var http = new HttpClient();
            Assert.Equal("ok\n", await http.GetStringAsync(new Uri(broker.Http, "/healthz"), TestContext.Current.CancellationToken));
        }
        finally
        {
            flood.ForEach(client => client.Dispose());
        }

        Assert.True(await AnswersAsync(broker));
        Assert.Equal(0, await broker.StopAsync());
    }

    [Fact]
    public async Task A_limit_that_leaves_no_room_for_clients_is_refused_with_what_to_do()
    {
        using var directory = new TemporaryDirectory();
        const int Limit = DescriptorLimit.KeptBack + DescriptorLimit.FewestConnections - 1;
        var result = await Tool.TryRunAsync(
            "prlimit", [$"--nofile={Limit}", MillraceProcess.Program, "start", "--data-dir", directory.Path, "--listen", "127.0.0.1:0"]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"only {Limit} files open, and needs at least {Limit + 1}. Raise the limit (ulimit -n", result.Errors, StringComparison.Ordinal);
    }

    private static IPEndPoint AddressOf(MillraceProcess broker) => IPEndPoint.Parse(broker.BootstrapServers);

    private static async Task<bool> AnswersAsync(MillraceProcess broker)
    {
        using var client = await RawClient.ConnectAsync(AddressOf(broker));
        await client.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 1);
        return (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId == 1;
    }
}
