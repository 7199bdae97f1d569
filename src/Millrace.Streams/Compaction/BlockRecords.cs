using System.Collections;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Compaction;

/// <summary>The records of some blocks, where they lie.</summary>
/// <param name="blocks">In offset order; of each the first record that counts.</param>
internal sealed class BlockRecords(IReadOnlyList<(DataBlock Block, int First)> blocks) : IReadOnlyCollection<StreamRecord>
{
    public int Count { get; } = blocks.Sum(block => block.Block.Count - block.First);

    public IEnumerator<StreamRecord> GetEnumerator()
    {
        foreach (var (block, first) in blocks)
        {
            for (var i = first; i < block.Count; i++)
            {
                yield return block[i];
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
