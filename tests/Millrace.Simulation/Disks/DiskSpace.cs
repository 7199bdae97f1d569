namespace Millrace.Simulation.Disks;

/// <summary>The room on a disk that others fill and free, too.</summary>
public sealed class DiskSpace
{
    private long? _free;

    public bool IsLimited => _free is not null;

    /// <summary>Others have taken all but so many bytes.</summary>
    public void Limit(long free) => _free = free;

    /// <summary>Others have made room.</summary>
    public void Free() => _free = null;

    /// <summary>Takes room; what is returned is less than what was asked for where there is no more.</summary>
    internal long Take(long bytes)
    {
        if (_free is not { } free)
        {
            return bytes;
        }

        var taken = Math.Min(bytes, free);
        _free = free - taken;
        return taken;
    }

    internal void GiveBack(long bytes) => _free += bytes;

    /// <summary>What was given back a moment ago is in use again.</summary>
    internal void Retake(long bytes) => _free -= bytes;
}
