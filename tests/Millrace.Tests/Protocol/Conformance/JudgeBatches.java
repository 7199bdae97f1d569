import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

/**
 * Reads cases ("int32 length, bytes sent for a partition") from a file and judges each with Kafka's own classes, in the order in
 * which a broker does: "error code, then what a consumer reads of the stored batch: a digest of its records, or 'unreadable'".
 */
public class JudgeBatches {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);
    private static final BufferSupplier BUFFERS = BufferSupplier.create();

    public static void main(String[] arguments) throws Exception {
        StringBuilder output = new StringBuilder();
        try (DataInputStream file = new DataInputStream(new BufferedInputStream(new FileInputStream(arguments[0])))) {
            while (file.available() > 0) {
                byte[] bytes = new byte[file.readInt()];
                file.readFully(bytes);
                output.append(judge(bytes)).append('\n');
            }
        }
        System.out.print(output);
    }

    private static String judge(byte[] bytes) {
        MemoryRecords stored;
        try {
            stored = append(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)));
        } catch (RecordValidationException e) {
            return Errors.forException(e.invalidException()).code() + " -";
        } catch (Throwable e) {
            return Errors.forException(e).code() + " -";
        }
        try {
            return "0 " + consume(stored);
        } catch (Throwable e) {
            return "0 unreadable";
        }
    }

    private static MemoryRecords append(MemoryRecords records) {
        ProduceRequest.validateRecords((short) 11, records);
        MutableRecordBatch batch = records.batches().iterator().next();
        if (batch.baseOffset() != 0) {
            throw new InvalidRecordException("base offset");
        }
        if (batch.sizeInBytes() > 1048588) {
            throw Errors.MESSAGE_TOO_LARGE.exception();
        }
        batch.ensureValid();
        CompressionType source = batch.compressionType();
        if (records.validBytes() != records.sizeInBytes()) {
            records = MemoryRecords.readableRecords(records.buffer().duplicate().limit(records.validBytes()));
        }
        return new LogValidator(
            records, PARTITION, Time.SYSTEM, source, Compression.of(source).build(), false, (byte) 2, TimestampType.CREATE_TIME,
            Long.MAX_VALUE, 3600000L, 0, AppendOrigin.CLIENT)
            .validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(0), new Metrics(), BUFFERS).validatedRecords();
    }

    /** What a consumer sees: offset, time, key, value and headers of every record, to the end of the batch. */
    private static String consume(MemoryRecords records) {
        long digest = 1;
        int count = 0;
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            try (var iterator = batch.streamingIterator(BUFFERS)) {
                while (iterator.hasNext()) {
                    Record record = iterator.next();
                    record.ensureValid();
                    digest = add(digest, record.offset());
                    digest = add(digest, record.timestamp());
                    digest = add(digest, record.hasKey() ? record.key() : null);
                    digest = add(digest, record.hasValue() ? record.value() : null);
                    for (Header header : record.headers()) {
                        header.key();
                        digest = add(digest, header.value() == null ? null : ByteBuffer.wrap(header.value()));
                    }
                    count++;
                }
            }
        }
        return count + ":" + Long.toHexString(digest);
    }

    private static long add(long digest, long value) {
        return (digest ^ value) * 0x100000001b3L;
    }

    private static long add(long digest, ByteBuffer bytes) {
        digest = add(digest, bytes == null ? -1 : bytes.remaining());
        for (int i = 0; bytes != null && i < bytes.limit() - bytes.position(); i++) {
            digest = add(digest, bytes.get(bytes.position() + i));
        }
        return digest;
    }

    private static class Metrics implements LogValidator.MetricsRecorder {
        public void recordInvalidMagic() { }

        public void recordInvalidOffset() { }

        public void recordInvalidSequence() { }

        public void recordInvalidChecksums() { }

        public void recordNoKeyCompactedTopic() { }
    }
}
