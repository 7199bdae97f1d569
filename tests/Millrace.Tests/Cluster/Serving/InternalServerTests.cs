using System.Net;
using Millrace.Cluster;
using Millrace.Cluster.Seat;
using Millrace.Cluster.Serving;
using Millrace.Network.Links;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Xunit;

namespace Millrace.Tests.Cluster.Serving;

/// <summary>What other nodes can make a node hold, in a simulated world without weather.</summary>
public sealed class InternalServerTests
{
    [Fact]
    public void Requests_that_wait_for_the_metadata_log_hold_up_no_question_of_another_kind()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var network = new SimulatedNetwork(kernel);
            var (seat, id) = (new LocalSeat(), Guid.NewGuid());
            // On its way: until it is there nothing is decided.
            seat.Take(id);
            var port = await ServeAsync(kernel, network, seat);
            var asker = new SimulatedNode(kernel, "asker", lane => new SimulatedDisk(kernel, "asker").Mount(lane));
            await asker.Start(async runtime =>
            {
                var peers = network.From("asker", asker.Lane!);
                async Task<PeerConnection> ConnectAsync() =>
                    new(runtime, await peers.ConnectAsync(new DnsEndPoint("server", port), default), "asker");

                // Each as much as one node may have waiting; together more than there is room for.
                var calls = new List<Task<CallControllerResponse>>();
                for (var i = 0; i < 15; i++)
                {
                    var connection = await ConnectAsync();
                    calls.Add(connection.CallAsync<CallControllerRequest, CallControllerResponse>(
                        new() { ControllerId = id, Message = new byte[4 << 20] }, default).AsTask());
                }

                await kernel.Delay(TimeSpan.FromSeconds(5));
                var view = await ConnectAsync();
                var heard = view.CallAsync<PeerViewRequest, PeerViewResponse>(new(), default).AsTask();
                await kernel.Delay(TimeSpan.FromSeconds(1));

                Assert.True(heard.IsCompletedSuccessfully);
                Assert.DoesNotContain(calls, call => call.IsCompleted);
                seat.Leave();
                Assert.All(await Task.WhenAll(calls), answer => Assert.False(answer.IsController));
            });
        });
    }

    private static async Task<int> ServeAsync(SimulationKernel kernel, SimulatedNetwork network, LocalSeat seat)
    {
        var port = new TaskCompletionSource<int>();
        var node = new SimulatedNode(kernel, "server", lane => new SimulatedDisk(kernel, "server").Mount(lane));
        _ = node.Start(async runtime =>
        {
            var listener = await network.At("server", node.Lane!).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
            var server = new InternalServer(runtime, kernel.NewBufferPool(), seat, () => new PeerViewResponse(), () => null);
            server.Serve(listener);
            port.SetResult(((IPEndPoint)listener.EndPoint).Port);
            await runtime.Failed;
        });
        return await port.Task;
    }
}
