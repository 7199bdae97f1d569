using Millrace.Runtime;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>
/// A machine's file system: outlives the processes on it, and loses at a power cut what was not synced (bytes, sector by
/// sector, and names).
/// </summary>
public sealed class SimulatedDisk(SimulationKernel kernel, string machine)
{
    private const string Root = "/";
    private readonly SortedList<string, SortedDictionary<string, SimulatedFile>> _current = new(StringComparer.Ordinal) { [Root] = NewFolder() };
    private readonly SortedList<string, SortedDictionary<string, SimulatedFile>> _durable = new(StringComparer.Ordinal) { [Root] = NewFolder() };

    // Changes of names that no sync of their folder has made durable; each is atomic.
    private readonly List<(string Folder, string Name, SimulatedFile? File)[]> _unsynced = [];
    private readonly Dictionary<string, Lane> _locks = new(StringComparer.Ordinal);
    private readonly List<SimulatedWrite> _writing = [];
    private Action? _atNextWrite;
    private long _files;

    public SimulationKernel Kernel => kernel;

    public DiskWeather Weather { get; set; } = DiskWeather.Calm;

    public int SectorSize { get; } = kernel.Random.Pick([512, 4096]);

    /// <summary>Counts power cuts: what was under way in an earlier life never ends.</summary>
    public int Life { get; private set; }

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
            write.File.Write(write.Position, write.Bytes, () => kernel.Random.Chance(0.5));
        }

        _writing.Clear();
        foreach (var change in _unsynced.Where(_ => kernel.Random.Chance(0.5)))
        {
            Apply(_durable, change, links: false);
        }

        _unsynced.Clear();
        _locks.Clear();
        _current.Clear();
        var lost = 0;
        HashSet<SimulatedFile> seen = [];
        foreach (var (path, folder) in _durable)
        {
            _current[path] = new SortedDictionary<string, SimulatedFile>(folder, StringComparer.Ordinal);
            foreach (var file in folder.Values)
            {
                if (seen.Add(file))
                {
                    file.Links = 0;
                    lost += file.CutPower(kernel.Random) ? 1 : 0;
                }

                file.Links++;
            }
        }

        kernel.Coverage.Count("disk: power cuts");
        kernel.Coverage.Count("disk: files that lost writes at a power cut", lost);
        kernel.Trace.Note($"power cut at {machine}: {lost} files lost writes");
    }

    internal void CreateFolder(string path)
    {
        for (var folder = path; folder is not null && !_current.ContainsKey(folder); folder = Path.GetDirectoryName(folder))
        {
            _current[folder] = NewFolder();
            _durable.TryAdd(folder, NewFolder());
        }
    }

    internal bool FolderExists(string path) => _current.ContainsKey(path);

    internal bool DeleteFolder(string path) =>
        _current.TryGetValue(path, out var folder) && folder.Count == 0 && !_current.Keys.Any(other => IsIn(path, other)) &&
        _current.Remove(path) && _durable.Remove(path);

    internal IEnumerable<FileEntry> List(string path) =>
        _current.TryGetValue(path, out var folder)
            ? folder.Keys.Select(name => new FileEntry(name, IsDirectory: false))
                .Concat(_current.Keys.Where(other => IsIn(path, other))
                    .Select(other => new FileEntry(Path.GetFileName(other), IsDirectory: true)))
                .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            : [];

    internal SimulatedFile? Find(string path)
    {
        var (folder, name) = Split(path);
        return _current.TryGetValue(folder, out var files) ? files.GetValueOrDefault(name) : null;
    }

    internal SimulatedFile NewFile() => new(_files++, SectorSize);

    /// <summary>Changes names, atomically; null takes one away.</summary>
    internal void Rename(params (string Path, SimulatedFile? File)[] changes)
    {
        (string, string, SimulatedFile?)[] change = [.. changes.Select(one => (Split(one.Path).Folder, Split(one.Path).Name, one.File))];
        Apply(_current, change, links: true);
        _unsynced.Add(change);
    }

    internal void SyncFolder(string path)
    {
        foreach (var change in _unsynced.Where(change => change.Any(one => one.Folder == path)).ToArray())
        {
            Apply(_durable, change, links: false);
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

    private static (string Folder, string Name) Split(string path) => (Path.GetDirectoryName(path) ?? Root, Path.GetFileName(path));

    private static SortedDictionary<string, SimulatedFile> NewFolder() => new(StringComparer.Ordinal);

    // Folders are listed in every loop that waits for objects: this makes no strings.
    private static bool IsIn(string folder, string path) =>
        path != Root && Path.GetDirectoryName(path.AsSpan()).Equals(folder, StringComparison.Ordinal);

    private static void Apply(
        SortedList<string, SortedDictionary<string, SimulatedFile>> folders, (string Folder, string Name, SimulatedFile? File)[] change, bool links)
    {
        foreach (var (folder, name, file) in change)
        {
            // The folder may have been removed since.
            if (!folders.TryGetValue(folder, out var files))
            {
                continue;
            }

            if (links && files.TryGetValue(name, out var former))
            {
                former.Links--;
            }

            if (file is null)
            {
                files.Remove(name);
                continue;
            }

            files[name] = file;
            file.Links += links ? 1 : 0;
        }
    }
}
