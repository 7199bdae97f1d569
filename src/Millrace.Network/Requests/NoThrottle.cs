namespace Millrace.Network.Requests;

/// <summary>Slows nobody down, as Kafka does where no quota is set.</summary>
internal sealed class NoThrottle : IThrottle
{
    public TimeSpan Charge(RequestCall call) => TimeSpan.Zero;
}
