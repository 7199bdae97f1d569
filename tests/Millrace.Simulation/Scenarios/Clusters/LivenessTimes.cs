using Millrace.Server.Options;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>By what times the brokers of one world judge one another: the defaults, or what operators may have set instead.</summary>
/// <param name="Lease">How long after a heartbeat reads are answered.</param>
/// <param name="Fence">How long a broker may be silent.</param>
/// <param name="Suspicion">How long the controller may be.</param>
internal sealed record LivenessTimes(TimeSpan Lease, TimeSpan Fence, TimeSpan Suspicion)
{
    private static readonly LivenessTimes Default = new(TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3));

    /// <summary>A controller is left in peace for longer than its brokers.</summary>
    private static readonly LivenessTimes Patient = Default with { Suspicion = TimeSpan.FromSeconds(6) };

    /// <summary>As of brokers that share one machine.</summary>
    private static readonly LivenessTimes Slow = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(6));

    /// <summary>Brokers are left in peace for longer than their controller.</summary>
    private static readonly LivenessTimes Hasty = Slow with { Suspicion = TimeSpan.FromSeconds(3) };

    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        Of(ServerSettings.Lease, Lease), Of(ServerSettings.Fence, Fence), Of(ServerSettings.ControllerSuspicion, Suspicion),
    ];

    public static LivenessTimes Draw(SeededRandom random) => random.Pick([Default, Patient, Slow, Hasty]);

    private static KeyValuePair<string, string> Of(string name, TimeSpan time) => KeyValuePair.Create(name, $"{(long)time.TotalMilliseconds}");
}
