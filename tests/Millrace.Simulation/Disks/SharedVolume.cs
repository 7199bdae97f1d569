using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>
/// A block device that several machines have attached, with persistent reservations of type 1. What it was sent lands some time later, and may do so after
/// its sender is dead, or after the reservation has gone to another that did not have it aborted: as real targets were seen to do.
/// </summary>
public sealed class SharedVolume
{
    private const int Sector = 4096;
    private static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly SimulationKernel _kernel;
    private readonly SimulatedFile _content = new(0, Sector);
    private readonly Dictionary<int, ulong> _registered = [];
    private readonly List<Landing> _landing = [];
    private int? _holder;

    /// <param name="kernel">Its world.</param>
    /// <param name="capacity">Bytes.</param>
    /// <param name="name">No other volume of the world has it.</param>
    public SharedVolume(SimulationKernel kernel, long capacity, string name = "shared")
    {
        (_kernel, Name) = (kernel, name);
        _content.Allocate(capacity);
    }

    public string Name { get; }

    /// <summary>Where each machine has it.</summary>
    public string Path => $"/dev/{Name}";

    /// <summary>What one machine sees: its own files, and this device.</summary>
    /// <param name="machine">Whose.</param>
    /// <param name="files">Its own.</param>
    /// <param name="fault">A mistake of whoever uses it.</param>
    public IFileSystem FilesOf(int machine, IFileSystem files, PlantedFault? fault) => new SharedVolumeFiles(this, machine, files, fault);

    internal FileStatus Status => new(_content.Length, 1, IsDirectory: false, $"volume-{Name}")
    {
        Device = new BlockDeviceStatus($"volume-{Name}", IsPartition: false, Sector, Sector),
    };

    internal long Capacity => _content.Length;

    /// <summary>The machine's power fails: what it was sending is cut short.</summary>
    internal void CutPower(int machine)
    {
        foreach (var landing in Of(machine))
        {
            Tear(landing);
        }
    }

    internal ValueTask WriteAsync(int machine, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var landing = new Landing(machine, new SimulatedWrite(_content, position, parts), new TaskCompletionSource());
        After(_kernel.Random.Latency(Usual), () =>
        {
            if (_holder is { } holder && holder != machine)
            {
                landing.Answer.TrySetException(Refused(machine));
                return;
            }

            _landing.Add(landing);
            var slow = _kernel.Random.Chance(0.1);
            After(slow ? _kernel.Random.Between(TimeSpan.Zero, Longest) : _kernel.Random.Latency(Usual), () => Land(landing));
        });
        return new(landing.Answer.Task);
    }

    internal async ValueTask ReadAsync(long position, Memory<byte> buffer) => await CallAsync(() => _content.Read(position, buffer.Span, direct: true));

    internal ValueTask<T> CallAsync<T>(Func<T> call)
    {
        var answer = new TaskCompletionSource<T>();
        After(_kernel.Random.Latency(Usual), () => answer.TrySetResult(call()));
        return new(answer.Task);
    }

    internal void Register(int machine, ulong key) => _registered[machine] = key;

    internal DeviceReservation? Holder => _holder is { } holder ? new DeviceReservation(_registered[holder], 1) : null;

    internal bool TryReserve(int machine)
    {
        _holder ??= _registered.ContainsKey(machine) ? machine : null;
        return _holder == machine;
    }

    internal bool TryPreempt(int machine, ulong holder, bool aborts)
    {
        // Who was itself taken out of the way since it registered is refused, as one that never did.
        if (!_registered.ContainsKey(machine) || _holder is not { } former || _registered[former] != holder)
        {
            return false;
        }

        _kernel.Coverage.Count("volume: taken from its holder");
        _holder = machine;
        if (former != machine)
        {
            _registered.Remove(former);
        }

        foreach (var landing in aborts ? Of(former) : [])
        {
            // Some of it has landed, sector by sector, and its sender is told that it has not.
            _kernel.Coverage.Count("volume: writes aborted");
            Tear(landing);
            landing.Answer.TrySetException(Refused(former));
        }

        return true;
    }

    internal void Clear()
    {
        _registered.Clear();
        _holder = null;
    }

    /// <summary>Takes the reservation back: what nobody does who has lost it.</summary>
    internal void TakeBack(int machine)
    {
        _registered.TryAdd(machine, 1);
        _holder = machine;
    }

    private Landing[] Of(int machine) => [.. _landing.Where(landing => landing.Machine == machine)];

    private void After(TimeSpan delay, Action action) => _kernel.At(_kernel.Now + delay, _kernel.World, action);

    private void Land(Landing landing)
    {
        if (!_landing.Remove(landing))
        {
            return;
        }

        if (_holder is { } holder && holder != landing.Machine)
        {
            _kernel.Coverage.Count("volume: a write landed after its sender was shut out");
        }

        _content.Write(landing.Write.Position, landing.Write.Bytes);
        _content.Sync(_content.LastWrite);
        landing.Answer.TrySetResult();
    }

    private void Tear(Landing landing)
    {
        _landing.Remove(landing);
        _content.Write(landing.Write.Position, landing.Write.Bytes, () => _kernel.Random.Chance(0.5));
        _content.Sync(_content.LastWrite);
    }

    private IOException Refused(int machine)
    {
        _kernel.Coverage.Count("volume: writes refused");
        return new IOException($"{Path}: machine {machine} is shut out", LinuxError.BadExchange);
    }

    private sealed record Landing(int Machine, SimulatedWrite Write, TaskCompletionSource Answer);
}
