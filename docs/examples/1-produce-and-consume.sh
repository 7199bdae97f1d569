#!/usr/bin/env bash
# Records go in, and come out again: with the command line, and by a group that goes on where it stopped.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
start_cluster 3
"$millrace" topic create orders -p 3

printf 'ada:one\nbob:two\nada:three\n' | "$millrace" produce orders -k :
say "All of them; those of one key in their order"
"$millrace" consume orders --exit --format '%k bought %v (partition %p, offset %o)\n'

say "A group reads two, and then what is left"
"$millrace" consume orders --group billing --num 2 --timeout 30
echo ...
"$millrace" consume orders --group billing --num 1 --timeout 30
"$millrace" group describe billing
