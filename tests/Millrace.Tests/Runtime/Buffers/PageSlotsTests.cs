using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Runtime.Buffers;

public sealed unsafe class PageSlotsTests
{
    private const int SlotBytes = 2 * NativePages.PageBytes;
    private readonly PageSlots _slots = new(SlotBytes);

    [Fact]
    public void Slots_are_pages_of_their_own_and_lie_side_by_side()
    {
        nint[] slots = [.. Enumerable.Range(0, 200).Select(_ => _slots.Take()).Order()];
        var neighbours = slots.Zip(slots.Skip(1), (slot, next) => next - slot).ToList();

        Assert.All(slots, slot => Assert.Equal(0, slot % NativePages.PageBytes));
        Assert.All(neighbours, distance => Assert.True(distance >= SlotBytes, $"{distance} bytes apart"));
        Assert.True(neighbours.Count(distance => distance == SlotBytes) >= 190);
    }

    [Fact]
    public void A_slot_that_was_given_back_leaves_its_pages_to_the_system_and_its_neighbours_theirs()
    {
        var (kept, given) = (_slots.Take(), _slots.Take());
        Content(kept).Fill(1);
        Content(given).Fill(2);
        _slots.Give(given);

        // Private pages that went back to the system read as zeros.
        Assert.Equal(given, _slots.Take());
        Assert.False(Content(given).ContainsAnyExcept((byte)0));
        Assert.False(Content(kept).ContainsAnyExcept((byte)1));
    }

    private static Span<byte> Content(nint slot) => new((void*)slot, SlotBytes);
}
