#!/bin/sh
# millrace.scaler.command for a Deployment of Kubernetes: sh deployment.sh NAME SELECTOR. Each broker has its pod's name for its name; SELECTOR finds the pods.
set -eu
cost=controller.kubernetes.io/pod-deletion-cost

# One that was to go and has stayed is as dear as the others again.
kubectl annotate pods --selector "$2" "$cost-"
if [ -n "$MILLRACE_SCALER_VICTIM" ]; then
    kubectl annotate pod "$MILLRACE_SCALER_VICTIM_NAME" --overwrite "$cost=-1"
fi
exec kubectl scale deployment "$1" --replicas "$MILLRACE_SCALER_DESIRED"
