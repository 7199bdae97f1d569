namespace Millrace.Controller.Scaling;

/// <summary>What starts and stops brokers for the scaler: a command of the operator's, on the machine of the controller.</summary>
public interface IScalerHook
{
    /// <summary>Has an order carried out. One at a time.</summary>
    /// <param name="order">What should be.</param>
    /// <param name="token">Ends it where it is: the controller is no controller any more.</param>
    /// <returns>When it has ended, at the latest when its time is up. What goes wrong is in the result.</returns>
    Task<HookEnd> RunAsync(ScaleOrder order, CancellationToken token);
}
