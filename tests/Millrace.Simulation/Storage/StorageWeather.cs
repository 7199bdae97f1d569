using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Storage;

/// <summary>How an object store behaves for a while: how long it takes, and how often it fails in which way.</summary>
/// <param name="Latency">A typical call, there and back.</param>
/// <param name="BytesPerSecond">What each node's line carries, both ways together.</param>
/// <param name="Refused">Answered 409 or 503, and not done.</param>
/// <param name="RequestLost">Not done, and no answer until the connection breaks.</param>
/// <param name="AnswerLost">Done, and no answer until the connection breaks.</param>
/// <param name="Late">The connection breaks; a write is done much later, when nobody expects it any more.</param>
public sealed record StorageWeather(TimeSpan Latency, double BytesPerSecond, double Refused, double RequestLost, double AnswerLost, double Late)
{
    private const double Fast = double.PositiveInfinity;

    public static StorageWeather Calm { get; } = new(TimeSpan.FromMilliseconds(10), Fast, 0, 0, 0, 0);

    /// <summary>Each world has its own climate: some kinds of failure often, others never.</summary>
    public static StorageWeather Draw(SeededRandom random) => new(
        random.Between(TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(60)),
        BytesPerSecond: random.Pick([Fast, Fast, Fast, Fast, Fast, 1e6, 64e3, 4e3]),
        Refused: Rate(random), RequestLost: Rate(random), AnswerLost: Rate(random), Late: Rate(random));

    private static double Rate(SeededRandom random) => random.Pick([0, 0.005, 0.02, 0.08]);
}
