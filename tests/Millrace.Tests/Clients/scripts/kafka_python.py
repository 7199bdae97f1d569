"""What KafkaPythonTests runs: kafka_python.py BOOTSTRAP PREFIX CODEC... Prints a line for each thing it has verified."""

import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions, NewTopic

bootstrap, prefix, codecs = sys.argv[1], sys.argv[2], sys.argv[3:]
BASE = 1_700_000_000_000


def record(i):
    return {
        # This client refuses a record without key and value.
        "key": None if i % 3 == 0 and i % 5 != 0 else b"key-%d" % i,
        "value": [None, b"", b"v" * (i * 7)][min(i % 5, 2)],
        "headers": [("number", b"%d" % i), ("empty", b"")],
        "timestamp_ms": BASE + i,
    }


def until(condition, seconds=60):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def round_trip(admin, codec):
    topic = f"{prefix}-{codec}"
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", linger_ms=50,
        compression_type=None if codec == "none" else codec)
    futures = [producer.send(topic, partition=0, **record(i)) for i in range(100)]
    producer.flush(30)
    assert [future.get(30).offset for future in futures] == list(range(100))
    producer.close()

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=30_000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    for i in range(100):
        message, sent = next(consumer), record(i)
        assert message.offset == i, message
        assert message.key == sent["key"], message
        assert message.value == sent["value"], message
        assert message.headers == sent["headers"], message
        assert message.timestamp == sent["timestamp_ms"], message
    print(f"verified codec {codec}: 100 records")

    found = consumer.offsets_for_times({partition: BASE + 42})[partition]
    assert (found.offset, found.timestamp) == (42, BASE + 42), found
    assert consumer.beginning_offsets([partition])[partition] == 0
    assert consumer.end_offsets([partition])[partition] == 100
    print(f"verified timestamp {codec}")
    consumer.close()


class Member(threading.Thread):
    def __init__(self, topic):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=f"{prefix}-group", auto_offset_reset="earliest",
            enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=500)
        self.assigned, self.received, self.leaving = set(), set(), False

    def run(self):
        while not self.leaving:
            for messages in self.consumer.poll(timeout_ms=50).values():
                self.received.update(message.value for message in messages)
            self.assigned = set(self.consumer.assignment())
        self.consumer.commit()
        self.consumer.close()

    def leave(self):
        self.leaving = True
        self.join(30)


def rebalance(admin):
    topic = f"{prefix}-rebalance"
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    admin.create_partitions({topic: NewPartitions(4)})
    members = [Member(topic), Member(topic)]
    for member in members:
        member.start()
    until(lambda: all(len(member.assigned) == 2 for member in members))
    assert not members[0].assigned & members[1].assigned

    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for i in range(40):
        producer.send(topic, value=b"%d" % i, partition=i % 4)
    producer.flush(30)
    until(lambda: all(len(member.received) == 20 for member in members))
    members[0].leave()
    until(lambda: len(members[1].assigned) == 4)
    members[1].leave()

    committed = admin.list_consumer_group_offsets(f"{prefix}-group")
    assert {partition.partition: offset.offset for partition, offset in committed.items()} == {0: 10, 1: 10, 2: 10, 3: 10}, committed
    print("verified rebalance")


admin = KafkaAdminClient(bootstrap_servers=bootstrap)
for name in codecs:
    round_trip(admin, name)
rebalance(admin)
admin.delete_topics([f"{prefix}-rebalance"])
admin.close()
