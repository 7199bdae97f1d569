using System.IO.Pipelines;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>Continues what waits for a pipe on a lane; pipes know no task schedulers by themselves.</summary>
internal sealed class LanePipeScheduler(Lane lane) : PipeScheduler
{
    public override void Schedule(Action<object?> action, object? state) =>
        Task.Factory.StartNew(action, state, CancellationToken.None, TaskCreationOptions.DenyChildAttach, lane);
}
