#!/usr/bin/env bash
# All partitions of a topic go to another broker while records are written to them: nothing is copied, since nothing lies on a broker.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
start_cluster 3
"$millrace" topic create moving -p 24
write_to moving 1000 100
sleep 3

for broker in broker-1 broker-2 broker-3; do
    now=$(date +%s%N)
    "$millrace" partition move moving --to $broker --timeout 60 >/dev/null
    say "24 partitions went to $broker in $(since "$now") ms"
done
say "How long each of the last ones took no records"
"$millrace" partition status moving | head -n 8
say "And each of them is led by broker-3"
"$millrace" broker list
