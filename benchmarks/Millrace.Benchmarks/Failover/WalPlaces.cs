namespace Millrace.Benchmarks.Failover;

/// <summary>Where the brokers of a cluster have their WALs: in the store, or on devices that all of them reach.</summary>
internal sealed class WalPlaces
{
    private readonly IReadOnlyList<string> _devices;

    private WalPlaces(IReadOnlyList<string> devices) => _devices = devices;

    public static WalPlaces InStore { get; } = new([]);

    /// <summary>A device each, which this host's lock fences; or files in the place of devices, where there are none.</summary>
    public static WalPlaces OnDevices(IReadOnlyList<string> devices, string folder, int brokers) => new(
        [
            .. Enumerable.Range(0, brokers)
                .Select(index => $"block://{(devices.Count > 0 ? devices[index] : $"{folder}/device{index}")}?fence=host&capacity=1GiB"),
        ]);

    /// <summary>As <c>millrace start</c> takes them.</summary>
    public string[] ArgumentsOf(int index) => _devices.Count == 0
        ? ["--wal", "object"]
        : ["--wal", _devices[index], "--set", $"millrace.wal.devices={string.Join(',', _devices.Where((_, other) => other != index))}"];
}
