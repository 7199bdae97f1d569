"""What ThroughAnyBrokerTests runs: kafka_python_any_broker.py MADE_AT WRITTEN_AT READ_AT TOPIC VALUE... Prints the values that it reads."""

import sys

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

made_at, written_at, read_at, topic, values = *sys.argv[1:5], sys.argv[5:]

admin = KafkaAdminClient(bootstrap_servers=made_at)
admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
admin.close()

producer = KafkaProducer(bootstrap_servers=written_at, acks="all")
sent = [producer.send(topic, partition=i % 3, value=value.encode()) for i, value in enumerate(values)]
producer.flush(30)
for future in sent:
    future.get(30)
producer.close()

consumer = KafkaConsumer(
    topic, bootstrap_servers=read_at, group_id=topic, auto_offset_reset="earliest", session_timeout_ms=6000, consumer_timeout_ms=60_000)
for _ in values:
    print(next(consumer).value.decode())
consumer.close()
