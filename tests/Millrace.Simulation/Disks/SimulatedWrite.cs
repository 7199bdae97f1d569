using System.Buffers;

namespace Millrace.Simulation.Disks;

/// <summary>A write under way: a power cut may leave any of its sectors behind.</summary>
internal sealed class SimulatedWrite(SimulatedFile file, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
{
    public SimulatedFile File => file;

    public long Position => position;

    /// <summary>A copy made when the write began.</summary>
    public byte[] Bytes { get; } = Gather(parts);

    /// <summary>The caller's memory still holds what it asked to be written.</summary>
    public bool IsUnchanged
    {
        get
        {
            var rest = Bytes.AsSpan();
            foreach (var part in parts)
            {
                if (!rest.StartsWith(part.Span))
                {
                    return false;
                }

                rest = rest[part.Length..];
            }

            return rest.IsEmpty;
        }
    }

    public static SimulatedWrite Of(SimulatedFile file, long position, in ReadOnlySequence<byte> bytes)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        foreach (var part in bytes)
        {
            parts.Add(part);
        }

        return new SimulatedWrite(file, position, parts);
    }

    private static byte[] Gather(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var bytes = new byte[parts.Sum(part => part.Length)];
        var filled = 0;
        foreach (var part in parts)
        {
            part.Span.CopyTo(bytes.AsSpan(filled));
            filled += part.Length;
        }

        return bytes;
    }
}
