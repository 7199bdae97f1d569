# Has the cluster forget brokers that are gone, and still are a minute later: a container that is started again is the same broker.
# One whose WAL waits for its recovery is refused, and forgotten another time.
gone() {
    brokers=$(millrace broker list) || exit
    echo "$brokers" | while read -r node name state rest; do
        case $state in stopped | fenced) echo "$node" ;; esac
    done
}
before=$(gone) || exit
[ -n "$before" ] || exit 0
sleep "${PATIENCE:-60}"
after=$(gone) || exit
for node in $after; do
    case " $(echo $before) " in *" $node "*) millrace broker remove "$node" ;; esac
done
