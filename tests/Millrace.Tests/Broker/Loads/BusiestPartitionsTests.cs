using CsCheck;
using Millrace.Broker.Loads;
using Millrace.Metadata.Loads;
using Xunit;

namespace Millrace.Tests.Broker.Loads;

public sealed class BusiestPartitionsTests
{
    private const int Most = 5;

    private static readonly Gen<PartitionLoad> Load =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 9], Gen.Long[0, 4], Gen.Long[0, 4], (topic, partition, bytesIn, bytesOut) =>
            new PartitionLoad(new Guid(topic, 0, 0, new byte[8]), partition, bytesIn, bytesOut));

    [Fact]
    public void The_busiest_are_found_whatever_their_order_and_idle_ones_are_none() =>
        Gen.Select(Load.Array[0, 30], Gen.Int).Sample((loads, seed) =>
        {
            var all = loads.DistinctBy(load => (load.Topic, load.Partition)).ToArray();
            var expected = all.Where(load => load.Bytes > 0)
                .OrderByDescending(load => load.Bytes).ThenBy(load => load.Topic).ThenBy(load => load.Partition).Take(Most);
            var busiest = new BusiestPartitions(Most);
            for (var round = 0; round < 2; round++)
            {
                new Random(seed + round).Shuffle(all);
                Array.ForEach(all, busiest.Add);
                Assert.Equal(expected, busiest.Take());
            }
        });
}
