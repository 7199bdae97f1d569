using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Controller;

public sealed class OwnershipProofTests
{
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10) };

    [Fact]
    public void Ownership_is_proven_however_many_requests_come_that_change_nothing()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var node = new SimulatedNode(kernel, "busy", lane => new SimulatedDisk(kernel, "busy").Mount(lane));
        var bucket = new SimulatedBucket(kernel);
        var oldest = TimeSpan.Zero;
        kernel.Run(() => node.Start(async runtime =>
        {
            var storage = bucket.Connect(node.Lane!);
            var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), default);
            var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = "busy", Port = 9092 };
            var controller = await ClusterController.TryStartAsync(runtime, log, new MetadataFeed(), storage, seal, Quiet, default);
            controller!.IsUndoubted = static () => true;
            for (var i = 0; i < 10_000; i++)
            {
                await controller.SubmitAsync(static _ => { }, default);
                await Task.Delay(TimeSpan.FromMilliseconds(1), runtime.Time);
                oldest = runtime.Time.GetElapsedTime(controller.ProvenAt) is var age && age > oldest ? age : oldest;
            }
        }));
        Assert.InRange(oldest, Quiet.OwnershipInterval, Quiet.OwnershipInterval + TimeSpan.FromSeconds(1));
    }
}
