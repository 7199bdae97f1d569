#!/bin/sh
# millrace.scaler.command for an Auto Scaling group of AWS: sh aws-asg.sh GROUP. Each broker has its instance's id for its name.
set -eu
group=$1

if [ -z "$MILLRACE_SCALER_VICTIM" ]; then
    exec aws autoscaling set-desired-capacity --auto-scaling-group-name "$group" --desired-capacity "$MILLRACE_SCALER_DESIRED"
fi

# Told twice: the group must not become smaller by two.
instance=$MILLRACE_SCALER_VICTIM_NAME
state=$(aws autoscaling describe-auto-scaling-instances --instance-ids "$instance" --output text \
    --query "AutoScalingInstances[?AutoScalingGroupName=='$group'].LifecycleState")
case $state in
    InService) ;;
    Terminat*) exit 0 ;;
    *)
        echo "$instance is not in service in $group: ${state:-unknown}" >&2
        exit 1
        ;;
esac
aws autoscaling set-instance-protection --auto-scaling-group-name "$group" --instance-ids "$instance" --no-protected-from-scale-in
exec aws autoscaling terminate-instance-in-auto-scaling-group --instance-id "$instance" --should-decrement-desired-capacity
