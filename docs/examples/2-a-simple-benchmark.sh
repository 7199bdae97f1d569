#!/usr/bin/env bash
# How much one producer and one consumer of this machine get through three brokers: a million records of 100 bytes, each acknowledged when it is durable.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
records=${RECORDS:-1000000}
start_cluster 3
"$millrace" topic create measured -p 6
head -c 99 /dev/zero | tr '\0' x >"$folder/record"
echo >>"$folder/record"
yes "$(cat "$folder/record")" 2>/dev/null | head -n "$records" >"$folder/records" || true

# $1 what was done, $2 when it began
tell() {
    local ms
    ms=$(since "$2")
    say "$records records $1 in $ms ms: $((records * 1000 / ms)) a second, $((records / 10 / ms)) MB/s"
}

now=$(date +%s%N)
"$millrace" produce measured <"$folder/records"
tell written "$now"
now=$(date +%s%N)
[ "$("$millrace" consume measured --exit | wc -l)" = "$records" ]
tell read "$now"
