#!/bin/bash
# How long after a change of the source its copy is written, at 50 changes a second, beside a bare client that at the same time and rate
# sends the same GET and PUT to the same destination. RESILOG_BENCH_SMOKE=1: 8 s of changes; else 60 s. What resilog did when is read from
# its own log and its debug diagnostics. RESILOG_BENCH_SYNCHRONIZATIONS=10: the objects are shared out among ten synchronizations (1 by default).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kube=$here/../servers/kube
bench=$(dirname "${RESILOG:?path of the program}")/../tests/bench/bench_live
objects=100
rate=50
seconds=60
synchronizations=${RESILOG_BENCH_SYNCHRONIZATIONS:-1}
[ -z "${RESILOG_BENCH_SMOKE:-}" ] || seconds=8

"$kube/programs.sh" get etcd kube-apiserver kubectl || { [ $? -eq 3 ] && [ "${RESILOG_TEST_ALL:-}" != 1 ] && exit 77; exit 1; }
kubectl=$("$kube/programs.sh" find kubectl)
dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
pid=
changing=
clean_up() {
	for p in $changing $pid; do kill -KILL "$p" 2>/dev/null || :; done
	for name in source destination; do [ ! -d "$dir/$name" ] || "$kube/kube.sh" stop "$dir/$name" KILL || :; done
	rm -rf "$dir"
}
trap "" PIPE # who reads our lines may go: then they fail, and all is cleaned up
trap clean_up EXIT

server() { sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$dir/$1/kubeconfig"; }
client() { # seed|change|update CLUSTER NAMESPACE [COUNT RATE]
	"$bench" "$1" "$(server "$2")" "$dir/$2/certs/apiserver.crt" admin-token "$3" "$objects" "${@:4}"
}
said() { grep -c "\"msg\":\"$1\"" "$dir/resilog.log" || :; }
until_said() { # MESSAGE COUNT SECONDS
	local end=$((SECONDS + $3))
	until [ "$(said "$1")" -ge "$2" ]; do
		kill -0 "$pid" && [ $SECONDS -lt "$end" ] || { echo "live.sh: \"$1\" $(said "$1") times, not $2, after $3 s" >&2; exit 1; }
		sleep 0.1
	done
}

for cluster in source destination; do
	"$kube/kube.sh" start "$dir/$cluster"
	for ns in live bare; do "$kubectl" --kubeconfig "$dir/$cluster/kubeconfig" --cache-dir "$dir/cache" create namespace $ns >/dev/null; done
done
client seed source live
client seed destination bare
cat >"$dir/sync.yaml" <<Y
apiVersion: assets.astronetes.io/v1alpha1
kind: KubernetesCluster
metadata: {name: source}
spec: {secretName: source}
---
apiVersion: assets.astronetes.io/v1alpha1
kind: KubernetesCluster
metadata: {name: destination}
spec: {secretName: destination}
Y
synchronization() { # NUMBER PATTERN
	cat >>"$dir/sync.yaml" <<-Y
		---
		apiVersion: automation.astronetes.io/v1alpha1
		kind: LiveSynchronization
		metadata: {name: bench-$1}
		spec:
		  plugin: kubernetes-objects-to-kubernetes
		  config:
		    sourceName: source
		    destinationName: destination
		    replication:
		      resources:
		        - {group: "", version: v1, resource: configmaps, filters: {nameSelector: {regex: ["$2"]}}}
	Y
}
case $synchronizations in
1) synchronization 0 '^o-' ;;
10) for digit in 0 1 2 3 4 5 6 7 8 9; do synchronization $digit "^o-.*$digit\$"; done ;;
*) echo "live.sh: RESILOG_BENCH_SYNCHRONIZATIONS is $synchronizations; 1 and 10 are possible" >&2; exit 2 ;;
esac
: >"$dir/resilog.log"
"$RESILOG" run -f "$dir/sync.yaml" --data "$dir/data" --kubeconfig "source=$dir/source/kubeconfig" \
	--kubeconfig "destination=$dir/destination/kubeconfig" --log-level debug 2>"$dir/resilog.log" &
pid=$!
until_said "object created in cluster" "$objects" 30

client change source live $((rate * seconds)) $rate &
changing=$!
bare=$(client update destination bare $((rate * seconds)) $rate)
wait "$changing"
changing=
until_said "object updated in cluster" $((rate * seconds)) 30
kill -TERM "$pid"
wait "$pid"
pid=
"$RESILOG" log show --data "$dir/data" -o jsonl >"$dir/events.jsonl"
"$here/live_report.py" "$dir/events.jsonl" "$dir/resilog.log" $bare
