namespace Millrace.Broker.Partitions;

/// <summary>The partitions of one topic that this node leads, by index.</summary>
/// <remarks>Threading: one writer at a time; readers see the array of some moment.</remarks>
internal sealed class LedTopic
{
    private volatile Partition?[] _partitions = [];

    public Partition? Find(int index)
    {
        var partitions = _partitions;
        return (uint)index < (uint)partitions.Length ? partitions[index] : null;
    }

    public IEnumerable<Partition> All() => _partitions.OfType<Partition>();

    /// <summary>Takes over an array by index, null where this node does not lead; not changed from now on.</summary>
    public void Replace(Partition?[] partitions) => _partitions = partitions;
}
