namespace Millrace.Controller.Balancing;

/// <summary>The moving average of a load, and how far its windows lie apart.</summary>
/// <param name="Bytes">A second, on average.</param>
/// <param name="Variance">Of a window's bytes a second. A load that has changed for good has much of it at first, and after ten windows none.</param>
internal readonly record struct MovingLoad(double Bytes, double Variance)
{
    // What a window weighs: of a step two thirds are seen after three windows.
    private const double Weight = 0.3;

    /// <summary>How far the average itself lies from what it would be of endless windows; as a variance, so that those of several loads add up.</summary>
    public double Doubt => Variance * Weight / (2 - Weight);

    public MovingLoad Next(double bytes)
    {
        var difference = bytes - Bytes;
        return new(Bytes + (Weight * difference), (1 - Weight) * (Variance + (Weight * difference * difference)));
    }
}
