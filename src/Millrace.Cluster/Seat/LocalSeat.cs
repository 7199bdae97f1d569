using Millrace.Runtime;

namespace Millrace.Cluster.Seat;

/// <summary>Where the controller is while it lives in this process. Whoever asks for one that is on its way here waits for it.</summary>
/// <remarks>Threading: taken and left by one loop, asked by any thread.</remarks>
internal sealed class LocalSeat
{
    private volatile Taken? _taken;

    /// <summary>The controller that lives here; null if none does, or it is on its way.</summary>
    public LocalController? Local => _taken is { Controller.Task: { IsCompletedSuccessfully: true } found } ? found.Result : null;

    /// <summary>One begins here, by an id that others may read in the metadata log before it can answer.</summary>
    public void Take(Guid id) => _taken = new Taken(id, new(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>It has begun.</summary>
    public void Seat(LocalController controller) => _taken!.Controller.SetResult(controller);

    /// <summary>It is here no longer, or has never begun.</summary>
    public void Leave()
    {
        var taken = _taken;
        _taken = null;
        taken?.Controller.TrySetResult(null);
    }

    /// <summary>The controller of an id; null if it is not here.</summary>
    public async ValueTask<LocalController?> FindAsync(Guid id, CancellationToken token) =>
        _taken is { } taken && taken.Id == id ? await taken.Controller.Task.OrCancelled(token) : null;

    private sealed record Taken(Guid Id, TaskCompletionSource<LocalController?> Controller);
}
