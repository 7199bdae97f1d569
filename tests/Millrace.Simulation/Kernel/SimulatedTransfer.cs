namespace Millrace.Simulation.Kernel;

/// <summary>Bytes on their way over a link.</summary>
public sealed class SimulatedTransfer(SimulatedLink link, double bytes, Action arrived)
{
    internal double Remaining { get; set; } = bytes;

    internal Action Arrived => arrived;

    /// <summary>The connection is gone: what has not arrived yet never will. Nothing happens to what has.</summary>
    public void GiveUp() => link.GiveUp(this);
}
