using System.Net;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Who a broker is when it starts, and when it starts again.</summary>
public sealed class NodeIdentityTests
{
    [Fact]
    public async Task A_broker_has_the_id_that_it_is_given_and_the_name_of_its_host_and_port_and_keeps_both()
    {
        using var directory = new TemporaryDirectory();
        string listen;
        await using (var first = await MillraceProcess.StartAsync(directory.Path, "--node-id", "7"))
        {
            Assert.Equal((7, $"{Dns.GetHostName()}:{directory.Path}"), (first.Node, first.Name));
            listen = first.BootstrapServers;
            Assert.Equal(0, await first.StopAsync());
        }

        await using (var again = await MillraceProcess.StartAsync(directory.Path))
        {
            Assert.Equal(7, again.Node);
        }

        var port = listen[(listen.LastIndexOf(':') + 1)..];
        await using var named = await MillraceProcess.StartAsync(directory.Path, "--listen", listen, "--node-id", "8");
        Assert.Equal((8, $"{Dns.GetHostName()}:{port}"), (named.Node, named.Name));
    }
}
