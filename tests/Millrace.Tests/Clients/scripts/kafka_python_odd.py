"""Reads topics of one partition to their ends: a line "topic, then each value, or the name of the error at which it fails" for each."""
import sys

from kafka import KafkaConsumer, TopicPartition

for topic in sys.argv[2:]:
    consumer = KafkaConsumer(bootstrap_servers=sys.argv[1], enable_auto_commit=False, consumer_timeout_ms=2000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    read = []
    try:
        while consumer.position(partition) < end:
            batches = consumer.poll(timeout_ms=2000)
            if not batches:
                read.append("nothing")
                break
            read += [record.value.decode() for records in batches.values() for record in records]
    except Exception as error:
        read.append(type(error).__name__)
    consumer.close()
    print(topic, *read, sep="\t")
