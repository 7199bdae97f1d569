using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Buffers;

/// <summary>
/// Pieces of one size, cut from mappings. A free piece keeps its addresses, for the next that is taken, and gives its pages back: so one
/// that is held for long keeps no other alive.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="slotBytes">Whole pages.</param>
internal sealed class PageSlots(int slotBytes)
{
    private const int SlotsOfMapping = 64;
    private const int DontNeed = 4;
    private readonly Lock _lock = new();
    private readonly Stack<nint> _free = new();

    /// <summary>The address of a piece, of unspecified content.</summary>
    public nint Take()
    {
        lock (_lock)
        {
            if (!_free.TryPop(out var slot))
            {
                // Untouched pages take nothing.
                slot = NativePages.Map(slotBytes * SlotsOfMapping);
                for (var next = SlotsOfMapping - 1; next > 0; next--)
                {
                    _free.Push(slot + next * slotBytes);
                }
            }

            return slot;
        }
    }

    /// <summary>Takes a piece back.</summary>
    public void Give(nint slot)
    {
        // Advice: where memory is locked, or the system has larger pages, it is not taken, and the memory stays.
        _ = LinuxCalls.AdviseMemory(slot, (nuint)slotBytes, DontNeed);
        lock (_lock)
        {
            _free.Push(slot);
        }
    }
}
