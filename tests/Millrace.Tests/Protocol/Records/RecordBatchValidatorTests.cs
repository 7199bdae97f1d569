using System.Buffers.Binary;
using CsCheck;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Protocol.Records;

public sealed class RecordBatchValidatorTests
{
    private static readonly RecordBatchRules Lenient = new();

    [Fact]
    public void A_batch_of_every_codec_is_valid()
    {
        foreach (var codec in RecordGen.Codecs)
        {
            var verdict = RecordBatchValidator.Validate(Batch(codec), Lenient);
            Assert.Equal(RecordBatchError.None, verdict.Error);
            Assert.Equal(3, verdict.Header.RecordCount);
            Assert.Equal(1002, verdict.MaxTimestamp);
            Assert.Equal(1, verdict.OffsetDeltaOfMaxTimestamp);
        }
    }

    [Fact]
    public void The_checksum_of_a_whole_batch_follows_from_its_own()
    {
        var batch = Batch(CompressionCodec.None);
        RecordBatchPatch.SetPosition(batch, 12345678901, 7);
        Assert.Equal(Crc32C.Of(batch), RecordBatchPatch.ChecksumOf(batch));
    }

    [Fact]
    public void An_uncompressed_batch_is_judged_without_allocating()
    {
        var batch = Batch(CompressionCodec.None);
        RecordBatchValidator.Validate(batch, Lenient);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var verdict = RecordBatchValidator.Validate(batch, Lenient);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(verdict.IsValid);
    }

    [Fact]
    public void A_changed_bit_anywhere_behind_the_length_is_found()
    {
        foreach (var codec in RecordGen.Codecs)
        {
            var batch = Batch(codec);
            for (var i = 16; i < batch.Length; i++)
            {
                for (var bit = 0; bit < 8; bit++)
                {
                    batch[i] ^= (byte)(1 << bit);
                    Assert.NotEqual(RecordBatchError.None, RecordBatchValidator.Validate(batch, Lenient).Error);
                    batch[i] ^= (byte)(1 << bit);
                }
            }
        }
    }

    [Fact]
    public void A_batch_cut_anywhere_is_truncated()
    {
        var batch = Batch(CompressionCodec.None);
        for (var length = 0; length < batch.Length; length++)
        {
            Assert.Equal(RecordBatchError.Truncated, RecordBatchValidator.Validate(batch.AsMemory(0, length), Lenient).Error);
        }
    }

    [Fact]
    public void Each_rule_has_its_error()
    {
        var batch = Batch(CompressionCodec.None);
        Assert.Equal(RecordBatchError.MoreThanOneBatch, Judge([.. batch, .. batch]));
        Assert.Equal(RecordBatchError.MoreThanOneBatch, Judge([.. batch, 0]));
        Assert.Equal(RecordBatchError.OldFormat, Judge(Changed(batch, 16, 1)));
        Assert.Equal(RecordBatchError.UnknownFormat, Judge(Changed(batch, 16, 3)));
        Assert.Equal(RecordBatchError.TooLarge, Judge(batch, Lenient with { MaxBatchBytes = batch.Length - 1 }));
        Assert.Equal(RecordBatchError.None, Judge(batch, Lenient with { MaxBatchBytes = batch.Length }));
        Assert.Equal(RecordBatchError.CodecNotAllowed, Judge(Batch(CompressionCodec.Zstd), Lenient with { AllowZstd = false }));
        Assert.Equal(RecordBatchError.UnknownCodec, Judge(Sealed(Changed(batch, 22, 5))));
        Assert.Equal(RecordBatchError.InconsistentOffsets, Judge(Changed(batch, 7, 1)));
        Assert.Equal(RecordBatchError.InconsistentOffsets, Judge(Sealed(Changed(batch, 60, 2))));
        Assert.Equal(RecordBatchError.InconsistentOffsets, Judge(Sealed(Changed(Changed(batch, 60, 0), 26, 0xff))));
        Assert.Equal(RecordBatchError.InconsistentOffsets, Judge(Sealed(Changed(batch, 64, 2))));
        Assert.Equal(RecordBatchError.ControlBatch, Judge(Sealed(Changed(batch, 22, 0x20))));
        Assert.Equal(RecordBatchError.DeleteHorizon, Judge(Sealed(Changed(batch, 22, 0x40))));
        Assert.Equal(RecordBatchError.LogAppendTimeByClient, Judge(Sealed(Changed(batch, 22, 0x08))));
        Assert.Equal(RecordBatchError.MissingSequence, Judge(new RecordBatchBuilder { ProducerId = 1, ProducerEpoch = 0, BaseSequence = -1 }));
        Assert.Equal(RecordBatchError.MissingSequence, Judge(new RecordBatchBuilder { ProducerId = 1, ProducerEpoch = -1, BaseSequence = 0 }));
        Assert.Equal(RecordBatchError.None, Judge(new RecordBatchBuilder { ProducerId = 1, ProducerEpoch = 0, BaseSequence = 0 }));
        Assert.Equal(RecordBatchError.Undecodable, Judge(Sealed(Changed(batch, 22, (byte)CompressionCodec.Zstd))));
        Assert.Equal(RecordBatchError.MissingKey, Judge(batch, Lenient with { RequireKeys = true }));
        Assert.Equal(RecordBatchError.TimestampOutOfRange, Judge(batch, Lenient with { LatestTimestamp = 1001 }));
        Assert.Equal(RecordBatchError.TimestampOutOfRange, Judge(batch, Lenient with { EarliestTimestamp = 1001 }));
        Assert.Equal(RecordBatchError.None, Judge(batch, Lenient with { LatestTimestamp = 0, TimestampType = TimestampType.LogAppendTime }));
    }

    [Fact]
    public void Records_that_are_wrong_one_by_one_are_named()
    {
        Assert.Equal([2], RecordBatchValidator.Validate(Batch(CompressionCodec.Lz4), Lenient with { RequireKeys = true }).InvalidRecords);
        Assert.Equal([0, 2], RecordBatchValidator.Validate(Batch(CompressionCodec.None), Lenient with { EarliestTimestamp = 1001 }).InvalidRecords);
    }

    [Fact]
    public void Malformed_records_under_a_right_checksum_are_found()
    {
        var batch = Batch(CompressionCodec.None);
        // A length that is too short, one that is too long, a key and a value beyond the record, a negative header count.
        Assert.Equal(RecordBatchError.MalformedRecord, Judge(Sealed(Changed(batch, 61, 0x02))));
        Assert.Equal(RecordBatchError.MalformedRecord, Judge(Sealed(Changed(batch, 61, 0x7e))));
        Assert.Equal(RecordBatchError.MalformedRecord, Judge(Sealed(Changed(batch, 65, 0x7e))));
        Assert.Equal(RecordBatchError.MalformedRecord, Judge(Sealed(Changed(batch, 65, 0x03))));
        var oneMore = Sealed([.. batch, 0]);
        Assert.Equal(RecordBatchError.MalformedRecord, Judge(oneMore));
    }

    [Fact]
    public void Random_records_under_a_right_checksum_never_throw()
    {
        Gen.Select(Gen.Byte.Array[0, 80], Gen.Int[0, 4], Gen.Int[1, 4]).Sample(
            (records, codec, count) =>
            {
                byte[] batch = [.. Batch(CompressionCodec.None).AsSpan(0, RecordBatchHeader.Size), .. records];
                batch[22] = (byte)codec;
                batch[26] = (byte)(count - 1);
                batch[60] = (byte)count;
                var verdict = RecordBatchValidator.Validate(Sealed(batch), Lenient with { MaxDecompressedBytes = 1 << 20 });
                Assert.Equal(count, verdict.Header.RecordCount);
            },
            iter: 20_000);
    }

    private static RecordBatchError Judge(byte[] batch) => Judge(batch, Lenient);

    private static RecordBatchError Judge(byte[] batch, RecordBatchRules rules) => RecordBatchValidator.Validate(batch, rules).Error;

    private static RecordBatchError Judge(RecordBatchBuilder builder)
    {
        builder.Append(1000, "k"u8.ToArray(), "v"u8.ToArray());
        return Judge(builder.Build());
    }

    private static byte[] Batch(CompressionCodec codec)
    {
        var builder = new RecordBatchBuilder { Codec = codec };
        builder.Append(1000, "key"u8.ToArray(), "value"u8.ToArray(), [new RecordHeader("name", "value"u8.ToArray())]);
        builder.Append(1002, "key"u8.ToArray(), "another value"u8.ToArray());
        builder.Append(999, (byte[]?)null, "another value"u8.ToArray());
        return builder.Build();
    }

    private static byte[] Changed(byte[] batch, int position, byte value)
    {
        var copy = batch.ToArray();
        copy[position] = value;
        return copy;
    }

    /// <summary>Makes length and checksum right again.</summary>
    private static byte[] Sealed(byte[] batch)
    {
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - RecordBatchHeader.LengthOverhead);
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), RecordBatchPatch.ComputeCrc(batch));
        return batch;
    }
}
