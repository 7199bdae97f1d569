#!/usr/bin/env bash
# Some partitions become far busier than the others, and all lie on one broker: the balancer sees that, and spreads them. It takes three windows of ten
# seconds until it believes what it sees.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
start_cluster 3
# By default a few megabytes a second are worth no move.
"$millrace" config set millrace.balancer.bytes.per.second=500000
# Each broker has something to lead: one that has nothing would get its share at once, whatever the load.
"$millrace" topic create quiet -p 12
for topic in hot-1 hot-2 hot-3; do
    "$millrace" topic create $topic -p 4
    "$millrace" partition move $topic --to broker-1 --timeout 60 >/dev/null
done
for topic in hot-1 hot-2 hot-3; do write_to $topic 1000 1000; done
sleep 15
say "One broker has all of the load"
"$millrace" broker top --once

is_moved() { "$millrace" balancer history --json | grep -q '"topic":"hot'; }
now=$(date +%s%N)
await 120 "A move of a hot partition" is_moved
say "After $(since "$now") ms the balancer has moved"
"$millrace" balancer history
sleep 15
say "And the brokers have"
"$millrace" broker top --once
