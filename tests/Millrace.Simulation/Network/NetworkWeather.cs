using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>How a client's way to its server behaves for a while; chances for each time that it sends.</summary>
/// <param name="HalfFrame">The connection is cut in the middle of a frame.</param>
/// <param name="Pieces">A frame arrives in two pieces, seconds apart.</param>
/// <param name="CutBeforeAnswer">The connection is cut after the requests were sent: they may be done, and nobody hears of it.</param>
public sealed record NetworkWeather(double HalfFrame, double Pieces, double CutBeforeAnswer)
{
    public static NetworkWeather Calm { get; } = new(0, 0, 0);

    public static NetworkWeather Draw(SeededRandom random) => new(Rate(random), Rate(random), Rate(random));

    private static double Rate(SeededRandom random) => random.Pick([0, 0.005, 0.02, 0.08]);
}
