"""What `./bench moves --client python` runs: steady_producer.py ADDRESSES TOPIC PARTITIONS RECORDS_PER_SECOND RECORD_BYTES [RETRY_BACKOFF_MS]

kafka-python writes to all partitions in turn, at a steady pace; the n-th record of a partition is n, again and again. Prints a line for each acknowledgement:
when (the machine's monotonic clock, in nanoseconds), partition, offset. Ends well when its input has ended and all that it has sent is acknowledged.
"""

import logging
import os
import sys
import threading
import time

from kafka import KafkaProducer

addresses, topic, *numbers = sys.argv[1:]
partitions, pace, size, *backoff = map(float, numbers)
partitions, size = int(partitions), int(size)

# Each retry is a warning.
logging.basicConfig(level=logging.ERROR)

# It knows no idempotence: only with one request under way does what is sent again stay in order. A batch has to hold what has come meanwhile, so it may be
# as large as librdkafka's: with its own 16 KiB it falls behind a few MB/s.
producer = KafkaProducer(
    bootstrap_servers=addresses.split(","),
    acks="all",
    retries=1_000_000,
    max_in_flight_requests_per_connection=1,
    batch_size=1_000_000,
    **{"retry_backoff_ms": int(wait) for wait in backoff},
)
ended = threading.Event()


def wait_for_end():
    sys.stdin.read()
    ended.set()


def acknowledge(record):
    print(time.monotonic_ns(), record.partition, record.offset, flush=True)


def fail(error):
    print(error, file=sys.stderr, flush=True)
    os._exit(1)


threading.Thread(target=wait_for_end, daemon=True).start()
began = time.monotonic()
sent = 0
while not ended.is_set():
    due = int((time.monotonic() - began) * pace)
    for at in range(sent, due):
        value = ((at // partitions).to_bytes(8, "big") * (size // 8)).ljust(size, b"\0")
        producer.send(topic, value, partition=at % partitions).add_callback(acknowledge).add_errback(fail)
    sent = max(sent, due)
    time.sleep(0.001)
producer.flush()
