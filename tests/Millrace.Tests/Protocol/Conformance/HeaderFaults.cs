using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Wrong counts, flags, times and numbers in a batch's header, under a right checksum.</summary>
internal static class HeaderFaults
{
    private static readonly long[] Times = [-1, -2, -86_400_000, 0, long.MinValue, long.MaxValue, 4_102_444_800_000, -4_102_444_800_000];

    public static RecordBatchHeader Make(Random random, RecordBatchHeader header, List<string> names)
    {
        var (name, changed) = Change(random, header);
        if (name.Length > 0)
        {
            names.Add("header: " + name);
        }

        return changed;
    }

    private static (string Name, RecordBatchHeader Changed) Change(Random random, RecordBatchHeader header)
    {
        var time = Times[random.Next(Times.Length)];
        switch (random.Next(40))
        {
            case 0: return ("count", header with { RecordCount = header.RecordCount + random.Next(-2, 3) });
            case 1: return ("count and last offset", Counted(header, header.RecordCount + random.Next(-3, 3)));
            case 2: return ("count negative", Counted(header, -random.Next(3)));
            case 3: return ("count huge", Counted(header, int.MaxValue - random.Next(3)));
            case 4: return ("last offset", header with { LastOffsetDelta = header.LastOffsetDelta + random.Next(-2, 3) });
            case 5: return ("base offset", header with { BaseOffset = random.Next(2) == 0 ? 1 : -1 });
            case 6: return ("append time", With(header, 0x08));
            case 7: return ("control", With(header, 0x20));
            case 8: return ("delete horizon", With(header, 0x40));
            case 9: return ("unused attributes", With(header, (short)(1 << random.Next(7, 16))));
            case 10: return ("codec", header with { Attributes = (short)random.Next(8) });
            case 11: return ("producer without epoch", header with { ProducerId = 7_000_000 + random.Next(1 << 30), ProducerEpoch = -1, BaseSequence = 0 });
            case 12: return ("producer without sequence", header with { ProducerId = 7, ProducerEpoch = 0, BaseSequence = -random.Next(1, 3) });
            case 13: return ("no producer with epoch", header with { ProducerId = -random.Next(1, 4), ProducerEpoch = 3, BaseSequence = 9 });
            case 14: return ("producer", header with { ProducerId = 7_000_000 + random.Next(1 << 30), ProducerEpoch = 0, BaseSequence = 0 });
            case 15: return ($"base time {time}", header with { BaseTimestamp = time, MaxTimestamp = time });
            case 16: return ($"base time {time}", header with { BaseTimestamp = time, MaxTimestamp = time });
            case 17: return ("largest time", header with { MaxTimestamp = time });
            case 18: return ("append time, no time", With(header with { BaseTimestamp = -1, MaxTimestamp = -1 }, 0x08));
            case 19: return ("leader epoch", header with { PartitionLeaderEpoch = random.Next() });
            default: return ("", header);
        }
    }

    private static RecordBatchHeader Counted(RecordBatchHeader header, int count) => header with { RecordCount = count, LastOffsetDelta = count - 1 };

    private static RecordBatchHeader With(RecordBatchHeader header, short bits) => header with { Attributes = (short)(header.Attributes | bits) };
}
