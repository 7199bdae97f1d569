"""Reads cases ("int32 length, batch") from a file with kafka-python's decoders: "count:digest" of each batch, or "unreadable"."""
import struct
import sys

from kafka.record.default_records import DefaultRecordBatch

MASK = (1 << 64) - 1


def add(digest, value):
    return ((digest ^ (value & MASK)) * 0x100000001B3) & MASK


def add_bytes(digest, value):
    digest = add(digest, -1 if value is None else len(value))
    for byte in value or b"":
        digest = add(digest, byte - 256 if byte > 127 else byte)
    return digest


def read(batch):
    digest, count = 1, 0
    for record in DefaultRecordBatch(bytearray(batch)):
        digest = add(add(digest, record.offset), record.timestamp)
        digest = add_bytes(add_bytes(digest, record.key), record.value)
        for _, value in record.headers:
            digest = add_bytes(digest, value)
        count += 1
    return "%d:%x" % (count, digest)


with open(sys.argv[1], "rb") as file:
    while head := file.read(4):
        batch = file.read(struct.unpack(">i", head)[0])
        try:
            print(read(batch))
        except Exception:
            print("unreadable")
