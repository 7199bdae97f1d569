import java.nio.ByteBuffer;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What ./bench moves --client java runs: SteadyProducer ADDRESSES TOPIC PARTITIONS RECORDS_PER_SECOND RECORD_BYTES [RETRY_BACKOFF_MS]
 *
 * Kafka's own idempotent producer writes to all partitions in turn, at a steady pace; the n-th record of a partition is n, again and again. Prints a line for
 * each acknowledgement: when (the machine's monotonic clock, in nanoseconds), partition, offset. Ends well when its input has ended and all that it has sent
 * is acknowledged.
 */
class SteadyProducer {
    static volatile boolean ended;

    public static void main(String[] arguments) throws Exception {
        var topic = arguments[1];
        var partitions = Integer.parseInt(arguments[2]);
        var pace = Double.parseDouble(arguments[3]);
        var size = Integer.parseInt(arguments[4]);
        var settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        if (arguments.length > 5) {
            settings.put("retry.backoff.ms", arguments[5]);
            settings.put("retry.backoff.max.ms", arguments[5]);
        }

        var waiting = new Thread(SteadyProducer::waitForEnd);
        waiting.setDaemon(true);
        waiting.start();
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            var began = System.nanoTime();
            for (long sent = 0; !ended; Thread.sleep(1)) {
                for (var due = (long) ((System.nanoTime() - began) / 1e9 * pace); sent < due; sent++) {
                    var value = ByteBuffer.allocate(size);
                    while (value.remaining() >= Long.BYTES) {
                        value.putLong(sent / partitions);
                    }

                    producer.send(new ProducerRecord<>(topic, (int) (sent % partitions), null, value.array()), SteadyProducer::settle);
                }
            }
        }
    }

    static void waitForEnd() {
        try {
            System.in.readAllBytes();
        } catch (java.io.IOException broken) {
            // Whoever held the other end is gone.
        }

        ended = true;
    }

    static void settle(RecordMetadata record, Exception error) {
        if (error != null) {
            System.err.println(error);
            Runtime.getRuntime().halt(1);
        }

        System.out.println(System.nanoTime() + " " + record.partition() + " " + record.offset());
    }
}
