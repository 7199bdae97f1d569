namespace Millrace.Benchmarks.Failover;

/// <summary>A loop device for each broker.</summary>
internal sealed class LoopDevices : IDisposable
{
    private const long Bytes = 1L << 30;

    private readonly List<LoopDevice> _devices = [];

    public IReadOnlyList<string> Paths => [.. _devices.Select(device => device.Path)];

    public static LoopDevices In(string folder, int brokers, int sector)
    {
        var made = new LoopDevices();
        try
        {
            for (var broker = 0; broker < brokers; broker++)
            {
                made._devices.Add(LoopDevice.Over(Path.Combine(folder, $"loop{broker}"), Bytes, sector));
            }

            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    public void Dispose() => _devices.ForEach(device => device.Dispose());
}
