#!/usr/bin/env bash
# A broker that joins gets its share of a topic that is written to; one that is drained gives all it has away. Nobody has to plan anything.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
start_cluster 3
"$millrace" topic create shared -p 24
write_to shared 1000 100
sleep 12

start_broker broker-4
node=$("$millrace" broker list --json | grep '"name":"broker-4"' | sed 's/.*"node":\([0-9]*\).*/\1/')
has_share() { [ "$(leads "$node" shared)" -ge 6 ]; }
now=$(date +%s%N)
await 60 "The share of broker-4" has_share
say "It leads $(leads "$node" shared) of 24 partitions after $(since "$now") ms"
"$millrace" balancer history | head -n 5

now=$(date +%s%N)
"$millrace" broker drain broker-4 --wait --timeout 60
say "It leads nothing any more after $(since "$now") ms, and can be stopped"
"$millrace" broker list
