using Millrace.ObjectStorage;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Storage;

/// <summary>
/// An object store's truth: what it holds, and how it behaves at the moment. Outlives every node. Nodes speak to it
/// through clients, whose requests and answers take time and get lost.
/// </summary>
public sealed class SimulatedBucket(SimulationKernel kernel)
{
    /// <summary>With less an ordinary body takes seconds.</summary>
    private const double SlowBytesPerSecond = 100e3;

    private readonly SortedList<string, byte[]> _objects = new(StringComparer.Ordinal);
    private readonly HashSet<string> _deleted = new(StringComparer.Ordinal);
    private TimeSpan _slowUntil;

    public SimulationKernel Kernel => kernel;

    public StorageWeather Weather
    {
        get;
        set
        {
            // What was on its way then may still be.
            _slowUntil = SlowUntil;
            field = value;
        }
    } = StorageWeather.Calm;

    /// <summary>Until then no request arrives.</summary>
    public TimeSpan DownUntil { get; set; }

    public bool IsDown => kernel.Now < DownUntil;

    /// <summary>Until then it is or was down, or answers are so slow that a body takes seconds.</summary>
    public TimeSpan SlowUntil => Weather.BytesPerSecond < SlowBytesPerSecond ? kernel.Now : DownUntil > _slowUntil ? DownUntil : _slowUntil;

    public int Count => _objects.Count;

    /// <summary>Told of every object at the moment it comes into being.</summary>
    public Action<string>? Created { get; set; }

    /// <summary>Told of every call that a node makes: its lane, and the key, or what the keys begin with.</summary>
    public Action<string, string>? Asked { get; set; }

    /// <summary>A node's connection. The lane pays no part: requests under way survive the node.</summary>
    public SimulatedStorageClient Connect(Lane lane) => new(this, lane);

    /// <summary>What is there now, without asking through the network.</summary>
    public byte[]? Peek(string key) => _objects.GetValueOrDefault(key);

    public IEnumerable<string> Keys(string prefix) => _objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>A bit of an object turns over, in one whose key the caller fancies.</summary>
    /// <returns>The key; null if there is none such.</returns>
    public string? Rot(Func<string, bool> fancies)
    {
        string[] keys = [.. _objects.Where(entry => entry.Value.Length > 0 && fancies(entry.Key)).Select(entry => entry.Key)];
        if (keys.Length == 0)
        {
            return null;
        }

        var key = kernel.Random.Pick(keys);
        var rotten = (byte[])_objects[key].Clone();
        var position = kernel.Random.Next(rotten.Length);
        rotten[position] ^= (byte)(1 << kernel.Random.Next(8));
        _objects[key] = rotten;
        kernel.Coverage.Count(CoverageNames.Faults);
        kernel.Coverage.Count("storage: rotten objects");
        kernel.Trace.Note($"{key} rots at {position}");
        return key;
    }

    internal bool TryCreate(string key, byte[] body)
    {
        if (!_objects.TryAdd(key, body))
        {
            return false;
        }

        if (_deleted.Contains(key))
        {
            kernel.Coverage.Count("storage: key created again after deletion");
        }

        Created?.Invoke(key);
        return true;
    }

    internal void Put(string key, byte[] body)
    {
        _objects[key] = body;
        Created?.Invoke(key);
    }

    internal void Delete(string key)
    {
        if (_objects.Remove(key))
        {
            _deleted.Add(key);
        }
    }

    internal ObjectEntry[] List(string prefix, string? startAfter, int limit)
    {
        List<ObjectEntry> page = [];
        var from = startAfter is not null && string.CompareOrdinal(startAfter, prefix) >= 0 ? startAfter : prefix;
        for (var i = FirstAtOrAfter(from); i < _objects.Count && page.Count < limit; i++)
        {
            var key = _objects.Keys[i];
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            if (key != startAfter)
            {
                page.Add(new ObjectEntry(key, _objects.Values[i].Length));
            }
        }

        return [.. page];
    }

    private int FirstAtOrAfter(string key)
    {
        int low = 0, high = _objects.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(_objects.Keys[middle], key) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
