namespace Millrace.Simulation.Kernel;

/// <summary>A line or a disk that so many bytes a second go through, in equal shares for all transfers under way.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="bytesPerSecond">Asked again and again: the weather changes while transfers are under way.</param>
public sealed class SimulatedLink(SimulationKernel kernel, Func<double> bytesPerSecond)
{
    private static readonly TimeSpan LongestGlance = TimeSpan.FromSeconds(1);
    private readonly List<SimulatedTransfer> _transfers = [];
    private double _rate = double.PositiveInfinity;
    private TimeSpan _since;
    private int _plan;

    /// <summary>Calls back on the world's lane when the bytes are through: at once if nothing slows them down.</summary>
    public SimulatedTransfer Send(long bytes, Action arrived)
    {
        var transfer = new SimulatedTransfer(this, bytes, arrived);
        if (bytes == 0 || _transfers.Count == 0 && double.IsPositiveInfinity(bytesPerSecond()))
        {
            arrived();
            return transfer;
        }

        Advance();
        _transfers.Add(transfer);
        Plan();
        return transfer;
    }

    internal void GiveUp(SimulatedTransfer transfer)
    {
        Advance();
        if (_transfers.Remove(transfer))
        {
            kernel.Coverage.Count("links: transfers cut short");
            Plan();
        }
    }

    private void Advance()
    {
        if (_transfers.Count > 0 && kernel.Now > _since)
        {
            // Nothing is left where nothing slows them down: less than nothing, without end, could not be reckoned with.
            var share = _rate * (kernel.Now - _since).TotalSeconds / _transfers.Count;
            _transfers.ForEach(transfer => transfer.Remaining = double.IsPositiveInfinity(share) ? 0 : transfer.Remaining - share);
        }

        _since = kernel.Now;
    }

    private void Plan()
    {
        _rate = bytesPerSecond();
        if (_transfers.Count == 0)
        {
            return;
        }

        var plan = ++_plan;
        var next = double.IsPositiveInfinity(_rate) ? 0 : Math.Max(0, _transfers.Min(transfer => transfer.Remaining) * _transfers.Count / _rate);
        var glance = next < LongestGlance.TotalSeconds ? TimeSpan.FromSeconds(next) + TimeSpan.FromTicks(1) : LongestGlance;
        kernel.At(kernel.Now + glance, kernel.World, () =>
        {
            if (plan == _plan)
            {
                Deliver();
            }
        });
    }

    private void Deliver()
    {
        Advance();
        SimulatedTransfer[] arrived = [.. _transfers.Where(transfer => transfer.Remaining <= 0)];
        _transfers.RemoveAll(transfer => transfer.Remaining <= 0);
        Plan();
        foreach (var transfer in arrived)
        {
            transfer.Arrived();
        }
    }
}
