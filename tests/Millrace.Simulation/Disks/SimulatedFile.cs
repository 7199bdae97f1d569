using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>
/// One file's content, sector by sector: what a reader sees now, what is durable, and every version in between that a power
/// cut may leave behind.
/// </summary>
internal sealed class SimulatedFile(long number, int sectorSize) : DiskEntry(number)
{
    private readonly SortedDictionary<long, byte[]> _current = [];
    private readonly SortedDictionary<long, byte[]> _durable = [];
    private readonly SortedDictionary<long, List<(long Write, byte[] Bytes)>> _unsynced = [];
    private long _writes;
    private long _durableLength;

    /// <summary>How many names it has at the moment.</summary>
    public int Links { get; set; }

    public int SectorSize => sectorSize;

    public long Length { get; private set; }

    /// <summary>The number of the last write: a sync that begins now covers all up to it.</summary>
    public long LastWrite => _writes;

    public bool HasDurableSectors => _durable.Count > 0;

    /// <summary>Takes room for zeros; a sync makes it durable.</summary>
    public void Allocate(long length) => Length = Math.Max(Length, length);

    /// <summary>Everything is gone from it at once.</summary>
    public void Truncate()
    {
        _current.Clear();
        _durable.Clear();
        _unsynced.Clear();
        (Length, _durableLength) = (0, 0);
    }

    public long AnyDurableSector(SeededRandom random) => _durable.Keys.ElementAt(random.Next(_durable.Count));

    /// <summary>What a power cut would leave at least.</summary>
    public byte[] Durable()
    {
        var bytes = new byte[_durableLength];
        foreach (var (sector, content) in _durable)
        {
            var begin = sector * sectorSize;
            content.AsSpan(0, (int)Math.Clamp(_durableLength - begin, 0, sectorSize)).CopyTo(bytes.AsSpan((int)Math.Min(begin, _durableLength)));
        }

        return bytes;
    }

    /// <summary>A bit of a durable sector turns over, and the cache lets go of that sector.</summary>
    public void Rot(long sector, SeededRandom random)
    {
        var bytes = _durable[sector];
        var rotten = (byte[])bytes.Clone();
        // Where there is something, as a rule: nobody reads what lies behind the end of a file, or fills one up.
        var within = (int)Math.Clamp(Length - sector * sectorSize, 1, sectorSize);
        var place = random.Next(within);
        place = Math.Max(0, bytes.AsSpan(0, place + 1).LastIndexOfAnyExcept((byte)0));
        rotten[place] ^= (byte)(1 << random.Next(8));
        if (_current.GetValueOrDefault(sector) == bytes)
        {
            _current[sector] = rotten;
        }

        _durable[sector] = rotten;
    }

    /// <param name="position">Where from.</param>
    /// <param name="destination">Filled up to the end of the file.</param>
    /// <param name="direct">Past the page cache: what a failed sync dropped is not seen any more.</param>
    public int Read(long position, Span<byte> destination, bool direct = false)
    {
        var count = (int)Math.Clamp(Length - position, 0, destination.Length);
        for (var done = 0; done < count;)
        {
            var (sector, offset) = Math.DivRem(position + done, sectorSize);
            var piece = Math.Min(count - done, sectorSize - (int)offset);
            var target = destination.Slice(done, piece);
            if ((direct ? OnMedium(sector) : _current.GetValueOrDefault(sector)) is { } bytes)
            {
                bytes.AsSpan((int)offset, piece).CopyTo(target);
            }
            else
            {
                target.Clear();
            }

            done += piece;
        }

        return count;
    }

    /// <summary>Writes those sectors that <paramref name="arrives"/> says.</summary>
    public void Write(long position, ReadOnlySpan<byte> source, Func<bool>? arrives = null)
    {
        _writes++;
        for (var done = 0; done < source.Length;)
        {
            var (sector, offset) = Math.DivRem(position + done, sectorSize);
            var piece = Math.Min(source.Length - done, sectorSize - (int)offset);
            if (arrives is null || arrives())
            {
                // A version of a sector is never changed: what is unsynced or durable may share it.
                var bytes = new byte[sectorSize];
                if (piece < sectorSize && _current.TryGetValue(sector, out var before))
                {
                    before.CopyTo(bytes, 0);
                }

                source.Slice(done, piece).CopyTo(bytes.AsSpan((int)offset));
                _current[sector] = bytes;
                if (!_unsynced.TryGetValue(sector, out var versions))
                {
                    _unsynced[sector] = versions = [];
                }

                versions.Add((_writes, bytes));
                Length = Math.Max(Length, position + done + piece);
            }

            done += piece;
        }
    }

    /// <summary>Makes everything up to a write durable, or (after a failed sync) only what <paramref name="survives"/> says.</summary>
    public void Sync(long upTo, Func<bool>? survives = null)
    {
        foreach (var sector in _unsynced.Keys.ToArray())
        {
            var versions = _unsynced[sector];
            var covered = versions.FindLastIndex(version => version.Write <= upTo);
            if (covered < 0)
            {
                continue;
            }

            if (survives is null || survives())
            {
                _durable[sector] = versions[covered].Bytes;
            }

            // After a failure the cache takes the pages for clean: no later sync writes them.
            versions.RemoveRange(0, covered + 1);
            if (versions.Count == 0)
            {
                _unsynced.Remove(sector);
            }
        }

        _durableLength = survives is null ? Length : _durableLength;
    }

    /// <summary>The power is cut: each sector keeps what was durable or any version written since. Says whether anything was lost.</summary>
    public bool CutPower(SeededRandom random)
    {
        var lost = false;
        foreach (var (sector, versions) in _unsynced)
        {
            var kept = random.Next(versions.Count + 1);
            lost |= kept < versions.Count;
            if (kept > 0)
            {
                _durable[sector] = versions[kept - 1].Bytes;
            }
        }

        _unsynced.Clear();
        var length = _durableLength + random.NextInt64(Length - _durableLength + 1);
        lost |= length < Length;
        (Length, _durableLength) = (length, length);
        _current.Clear();
        foreach (var (sector, bytes) in _durable)
        {
            _current[sector] = bytes;
        }

        return lost;
    }

    private byte[]? OnMedium(long sector) =>
        _unsynced.TryGetValue(sector, out var versions) ? versions[^1].Bytes : _durable.GetValueOrDefault(sector);
}
