namespace Millrace.Benchmarks.Failover;

/// <summary>Where the brokers of a cluster have their WALs: in the store, or on devices that all of them reach.</summary>
internal sealed class WalPlaces
{
    private readonly Func<int, string[]> _argumentsOf;

    private WalPlaces(Func<int, string[]> argumentsOf) => _argumentsOf = argumentsOf;

    public static WalPlaces InStore { get; } = new(_ => ["--wal", "object"]);

    /// <summary>A device each, which this host's lock fences; or files in the place of devices, where there are none.</summary>
    /// <param name="devices">One for each broker, or none.</param>
    /// <param name="folder">For such files.</param>
    /// <param name="brokers">How many.</param>
    /// <param name="alsoInStore">Each has one more in the store, for topics that ask for it.</param>
    public static WalPlaces OnDevices(IReadOnlyList<string> devices, string folder, int brokers, bool alsoInStore)
    {
        string[] uris =
        [
            .. Enumerable.Range(0, brokers)
                .Select(index => $"block://{(devices.Count > 0 ? devices[index] : $"{folder}/device{index}")}?fence=host&capacity=1GiB"),
        ];
        string[] more = alsoInStore ? InStore.ArgumentsOf(0) : [];
        return new(index => ["--wal", uris[index], .. more, "--set", Reaching(uris.Where((_, other) => other != index))]);
    }

    /// <summary>The first broker's on a device, which each of the others reaches by a path of its own; theirs in the store.</summary>
    /// <param name="uris">The device, as each broker has it.</param>
    public static WalPlaces OnOneDevice(IReadOnlyList<string> uris) =>
        new(index => index == 0 ? ["--wal", uris[0]] : [.. InStore.ArgumentsOf(index), "--set", Reaching([uris[index]])]);

    /// <summary>As <c>millrace start</c> takes them.</summary>
    public string[] ArgumentsOf(int index) => _argumentsOf(index);

    private static string Reaching(IEnumerable<string> uris) => $"millrace.wal.devices={string.Join(',', uris)}";
}
