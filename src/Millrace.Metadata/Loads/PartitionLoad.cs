namespace Millrace.Metadata.Loads;

/// <summary>What a partition has its leader do, over one window.</summary>
/// <param name="Topic">The topic's id.</param>
/// <param name="Partition">Its number in the topic.</param>
/// <param name="BytesIn">Bytes a second of batches that were produced to it.</param>
/// <param name="BytesOut">Bytes a second of batches that were fetched from it.</param>
public readonly record struct PartitionLoad(Guid Topic, int Partition, long BytesIn, long BytesOut)
{
    /// <summary>Bytes a second in both directions.</summary>
    public long Bytes => BytesIn + BytesOut;
}
