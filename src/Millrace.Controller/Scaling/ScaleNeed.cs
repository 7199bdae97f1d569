using System.Globalization;

namespace Millrace.Controller.Scaling;

/// <summary>How many brokers the load asks for, if each has as much as it is to have.</summary>
/// <param name="Brokers">By that of the two which asks for more. Not a whole number.</param>
/// <param name="Cpu">The share of its processors that a broker uses that takes part, on average.</param>
/// <param name="Bytes">The bytes a second that it moves, on average.</param>
internal sealed record ScaleNeed(double Brokers, double Cpu, long Bytes)
{
    /// <summary>What drained ones still have to do others are about to have.</summary>
    public static ScaleNeed Of(BrokerCensus census, ScaleSettings settings)
    {
        var cpu = census.Loads.Sum(load => load.Cpu);
        var bytes = census.Loads.Sum(load => load.Bytes);
        var brokers = Math.Max(cpu / settings.TargetCpu, settings.TargetBytes == 0 ? 0 : (double)bytes / settings.TargetBytes);
        var serving = Math.Max(1, census.Serving.Count);
        return new ScaleNeed(brokers, cpu / serving, bytes / serving);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Cpu:P0} of the processors and {Bytes / 1e6:0.#} MB/s a broker ask for {Brokers:0.0} brokers");
}
