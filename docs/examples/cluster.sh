# Sourced by the examples: brokers on this machine, in a folder of their own, which are stopped and forgotten when the script ends.
set -euo pipefail
millrace=${MILLRACE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/millrace}
folder=$(mktemp -d)
began=$(date +%s%N)
started=()

finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT

# Milliseconds since a time in nanoseconds.
since() { echo $((($(date +%s%N) - $1) / 1000000)); }

say() {
    local ms
    ms=$(since "$began")
    printf '\n%3d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"
}

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        if ((SECONDS > end)); then
            echo "$what: that did not come in time" >&2
            exit 1
        fi
        sleep 1
    done
}

# A cluster of so many brokers; all commands find it from then on.
start_cluster() {
    "$millrace" dev cluster --brokers "$1" --data-dir "$folder/cluster" >"$folder/cluster.out" 2>"$folder/cluster.log" &
    started+=($!)
    await 60 "A cluster" grep -qs '^bootstrap' "$folder/cluster.out"
    MILLRACE_BOOTSTRAP=$(sed -n 's/^bootstrap //p' "$folder/cluster.out")
    export MILLRACE_BOOTSTRAP
    say "$1 brokers serve at $MILLRACE_BOOTSTRAP"
}

# start_broker NAME: one more in the same cluster, with the patience of brokers that share one machine.
start_broker() {
    "$millrace" start --store "file://$folder/cluster/store" --wal object --name "$1" --listen 127.0.0.1:0 --data-dir "$folder/$1" \
        --set millrace.lease.ms=5000 --set millrace.fence.ms=6000 >"$folder/$1.out" 2>"$folder/$1.log" &
    started+=($!)
    await 60 "Broker $1" grep -qs '^ready' "$folder/$1.out"
    say "$1 has joined"
}

# write_to TOPIC RECORDS_A_SECOND BYTES: goes on in the background until the script ends. Of random bytes: what repeats itself is compressed to nothing.
write_to() {
    head -n $(($2 / 10)) >"$folder/$1.records" < <(base64 --wrap="$3" /dev/urandom 2>/dev/null)
    while cat "$folder/$1.records"; do sleep 0.1; done 2>/dev/null | "$millrace" produce "$1" >"$folder/$1.written" 2>&1 &
    started+=($!)
}

# leads BROKER [TOPIC]: how many partitions a broker leads; of all topics, or of one.
leads() {
    "$millrace" partition list --json ${2:+--topic "$2"} | grep -c "\"leader\":$1[,}]" || true
}
