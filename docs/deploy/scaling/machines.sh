#!/bin/sh
# millrace.scaler.command for machines with systemd that stand by: sh machines.sh FILE. FILE has their names, one a line; each is the name of its broker, too,
# and what ssh reaches root by.
set -eu
machines=$(cat "$1")
on() {
    to=$1
    shift
    ssh -n -o BatchMode=yes -o ConnectTimeout=5 "root@$to" "$@"
}

if [ -n "$MILLRACE_SCALER_VICTIM" ]; then
    # What systemd is told to stop no Restart= brings back, and what is disabled does not come with the machine either.
    on "$MILLRACE_SCALER_VICTIM_NAME" systemctl disable --now millrace
    exit
fi

# Told twice: count first.
running=0
idle=
for machine in $machines; do
    if on "$machine" systemctl is-active --quiet millrace; then
        running=$((running + 1))
    else
        idle="$idle $machine"
    fi
done
for machine in $idle; do
    [ "$running" -lt "$MILLRACE_SCALER_DESIRED" ] || break
    if on "$machine" systemctl enable --now millrace; then
        running=$((running + 1))
    fi
done
if [ "$running" -lt "$MILLRACE_SCALER_DESIRED" ]; then
    echo "$running machines run a broker, and there should be $MILLRACE_SCALER_DESIRED" >&2
    exit 1
fi
