namespace Millrace.Controller.Scaling;

/// <summary>For how long something has been so without a break, and how much it was on average.</summary>
internal sealed class Lasting
{
    private TimeSpan? _since;
    private double _sum;
    private int _looks;

    public double Mean => _sum / _looks;

    /// <summary>Takes in what a look has found.</summary>
    /// <param name="isSo">Whether it is.</param>
    /// <param name="value">How much it is.</param>
    /// <param name="now">By the planner's clock.</param>
    public void Observe(bool isSo, double value, TimeSpan now)
    {
        if (!isSo)
        {
            Clear();
            return;
        }

        _since ??= now;
        _sum += value;
        _looks++;
    }

    public void Clear() => (_since, _sum, _looks) = (null, 0, 0);

    public bool HasLasted(TimeSpan least, TimeSpan now) => _since is { } since && now - since >= least;
}
