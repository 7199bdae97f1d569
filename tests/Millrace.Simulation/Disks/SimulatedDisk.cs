using Millrace.Runtime.Files;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>
/// A machine's file system: outlives the processes on it, and loses at a power cut what was not synced: bytes, sector by
/// sector, and names, those of folders with all that is in them.
/// </summary>
public sealed class SimulatedDisk
{
    private const string Root = "/";
    private const int RotAttempts = 50;
    private readonly SimulationKernel _kernel;
    private readonly string _machine;

    // By path, those that a process sees now.
    private readonly SortedList<string, SimulatedFolder> _folders = new(StringComparer.Ordinal);

    // Changes of names that no sync of their folder has made durable; each is atomic.
    private readonly List<NameChange[]> _unsynced = [];
    private readonly Dictionary<string, Lane> _locks = new(StringComparer.Ordinal);
    private readonly List<SimulatedWrite> _writing = [];
    private Action? _atNextWrite;
    private long _entries;

    public SimulatedDisk(SimulationKernel kernel, string machine)
    {
        _kernel = kernel;
        _machine = machine;
        SectorSize = kernel.Random.Pick([512, 4096]);
        Link = new SimulatedLink(kernel, () => Weather.BytesPerSecond);
        _folders.Add(Root, new SimulatedFolder(_entries++));
    }

    public SimulationKernel Kernel => _kernel;

    public DiskWeather Weather { get; set; } = DiskWeather.Calm;

    public int SectorSize { get; }

    /// <summary>How much room others have left.</summary>
    public DiskSpace Space { get; } = new();

    /// <summary>Counts power cuts: what was under way in an earlier life never ends.</summary>
    public int Life { get; private set; }

    /// <summary>What bytes go through on their way to the medium and back.</summary>
    internal SimulatedLink Link { get; }

    /// <summary>Calls back once: when a write begins, or at once if one is under way.</summary>
    public void AtNextWrite(Action action)
    {
        if (_writing.Count > 0)
        {
            action();
        }
        else
        {
            _atNextWrite += action;
        }
    }

    /// <summary>The files as a process on this machine sees them.</summary>
    public IFileSystem Mount(Lane lane) => new SimulatedFileSystem(this, lane);

    /// <summary>The power fails. Every process on the machine must have been killed.</summary>
    public void CutPower()
    {
        Life++;
        foreach (var write in _writing)
        {
            write.File.Write(write.Position, write.Bytes, () => _kernel.Random.Chance(0.5));
        }

        _writing.Clear();
        var names = 0;
        foreach (var change in _unsynced)
        {
            if (_kernel.Random.Chance(0.5))
            {
                MakeDurable(change);
            }
            else
            {
                names++;
            }
        }

        _unsynced.Clear();
        _locks.Clear();
        var root = _folders[Root];
        _folders.Clear();
        var files = CutPower(Root, root, []);
        _kernel.Coverage.Count("disk: power cuts");
        _kernel.Coverage.Count("disk: files that lost writes at a power cut", files);
        _kernel.Coverage.Count("disk: names lost at a power cut", names);
        _kernel.Trace.Note($"power cut at {_machine}: {files} files lost writes, {names} changes of names are lost");
    }

    /// <summary>A bit of a durable sector turns over.</summary>
    /// <param name="fancies">Says, of a file's path, its durable bytes and a position in it, whether that will do.</param>
    /// <returns>The file's path; null if no such place was found.</returns>
    public string? Rot(DiskPlace fancies)
    {
        (string Path, SimulatedFile File)[] files =
        [
            .. _folders.SelectMany(folder => folder.Value.Current
                .Where(entry => entry.Value is SimulatedFile { HasDurableSectors: true })
                .Select(entry => (Path.Combine(folder.Key, entry.Key), (SimulatedFile)entry.Value))),
        ];
        for (var attempt = 0; attempt < RotAttempts && files.Length > 0; attempt++)
        {
            var (path, file) = _kernel.Random.Pick(files);
            var sector = file.AnyDurableSector(_kernel.Random);
            if (!fancies(path, file.Durable, sector * SectorSize))
            {
                continue;
            }

            file.Rot(sector, _kernel.Random);
            _kernel.Coverage.Count(CoverageNames.Faults);
            _kernel.Coverage.Count("disk: rotten sectors");
            _kernel.Trace.Note($"{_machine}: {path} rots at {sector * SectorSize}");
            return path;
        }

        return null;
    }

    internal SimulatedFolder? FindFolder(string path) => _folders.GetValueOrDefault(path);

    /// <summary>Makes a folder whose name is not durable yet; false if something of that name is there.</summary>
    internal bool TryMakeFolder(string path)
    {
        var (folder, name) = Split(path);
        if (folder.Current.ContainsKey(name))
        {
            return false;
        }

        var made = new SimulatedFolder(_entries++);
        Rename((path, made));
        _folders.Add(path, made);
        return true;
    }

    /// <summary>False if it is not there, or not empty.</summary>
    internal bool TryDeleteFolder(string path)
    {
        if (FindFolder(path) is not { Current.Count: 0 })
        {
            return false;
        }

        Rename((path, null));
        return _folders.Remove(path);
    }

    internal IEnumerable<FileEntry> List(string path) =>
        FindFolder(path)?.Current.Select(entry => new FileEntry(entry.Key, entry.Value is SimulatedFolder)) ?? [];

    internal SimulatedFile? Find(string path) =>
        FindFolder(Path.GetDirectoryName(path) ?? Root)?.Current.GetValueOrDefault(Path.GetFileName(path)) as SimulatedFile;

    internal SimulatedFile NewFile() => new(_entries++, SectorSize);

    /// <summary>Changes names, atomically; null takes one away.</summary>
    internal void Rename(params (string Path, DiskEntry? Entry)[] changes)
    {
        NameChange[] change = [.. changes.Select(one => new NameChange(Split(one.Path).Folder, Split(one.Path).Name, one.Entry))];
        foreach (var (folder, name, entry) in change)
        {
            if (folder.Current.Remove(name, out var former) && former is SimulatedFile { Links: > 0 } file && --file.Links == 0)
            {
                Space.GiveBack(file.Length);
            }

            if (entry is not null)
            {
                folder.Current.Add(name, entry);
            }

            if (entry is SimulatedFile named && named.Links++ == 0 && named.Length > 0)
            {
                // A rename takes the old name away first.
                Space.Retake(named.Length);
            }
        }

        _unsynced.Add(change);
    }

    internal void SyncFolder(SimulatedFolder folder)
    {
        foreach (var change in _unsynced.Where(change => change.Any(one => one.Folder == folder)).ToArray())
        {
            MakeDurable(change);
            _unsynced.Remove(change);
        }
    }

    internal bool TryLock(string path, Lane lane)
    {
        if (_locks.TryGetValue(path, out var holder) && !holder.Dead)
        {
            return false;
        }

        _locks[path] = lane;
        return true;
    }

    internal void Unlock(string path, Lane lane)
    {
        if (_locks.TryGetValue(path, out var holder) && ReferenceEquals(holder, lane))
        {
            _locks.Remove(path);
        }
    }

    internal void Begin(SimulatedWrite write)
    {
        _writing.Add(write);
        var waiting = _atNextWrite;
        _atNextWrite = null;
        waiting?.Invoke();
    }

    internal void End(SimulatedWrite write) => _writing.Remove(write);

    private (SimulatedFolder Folder, string Name) Split(string path) =>
        (FindFolder(Path.GetDirectoryName(path) ?? Root) ?? throw Errno.NoSuchFile(path), Path.GetFileName(path));

    private static void MakeDurable(NameChange[] change)
    {
        foreach (var (folder, name, entry) in change)
        {
            if (entry is null)
            {
                folder.Durable.Remove(name);
            }
            else
            {
                folder.Durable[name] = entry;
            }
        }
    }

    /// <summary>Comes back with what is durable of a folder and of all in it; says how many files have lost writes.</summary>
    private int CutPower(string path, SimulatedFolder folder, HashSet<SimulatedFile> seen)
    {
        _folders.Add(path, folder);
        folder.CutPower();
        var lost = 0;
        foreach (var (name, entry) in folder.Current)
        {
            if (entry is SimulatedFolder below)
            {
                lost += CutPower(Path.Combine(path, name), below, seen);
                continue;
            }

            var file = (SimulatedFile)entry;
            if (seen.Add(file))
            {
                file.Links = 0;
                lost += file.CutPower(_kernel.Random) ? 1 : 0;
            }

            file.Links++;
        }

        return lost;
    }
}
