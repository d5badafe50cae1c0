#!/bin/bash
# A cold sync of mixed objects beside a bare client that POSTs the same objects at the same concurrency to an API server on the same machine.
# The bare client runs before and after; the ratio is against the mean of both. Then resilog starts once more on the same data, and what it
# asks the servers for is counted. RESILOG_BENCH_SMOKE=1: 1,000 objects; else RESILOG_BENCH_OBJECTS, 10,000 by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kube=$here/../servers/kube
bench=$(dirname "${RESILOG:?path of the program}")/../tests/bench/bench_posts
count=${RESILOG_BENCH_OBJECTS:-10000}
[ -z "${RESILOG_BENCH_SMOKE:-}" ] || count=1000
concurrency=32

"$kube/programs.sh" get etcd kube-apiserver kubectl || { [ $? -eq 3 ] && [ "${RESILOG_TEST_ALL:-}" != 1 ] && exit 77; exit 1; }
kubectl=$("$kube/programs.sh" find kubectl)
dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
pid=
sampling=
clean_up() {
	for p in $pid $sampling; do kill -KILL "$p" 2>/dev/null || :; done
	for name in source destination bare; do [ ! -d "$dir/$name" ] || "$kube/kube.sh" stop "$dir/$name" KILL || :; done
	rm -rf "$dir"
}
trap "" PIPE # who reads our lines may go: then they fail, and all is cleaned up
trap clean_up EXIT

k() { "$kubectl" --kubeconfig "$dir/$1/kubeconfig" --cache-dir "$dir/cache" "${@:2}"; }
start() { # NAME
	"$kube/kube.sh" start "$dir/$1"
	for i in 0 1 2 3 4 5 6 7 8 9; do k "$1" create namespace "bench-$i" >/dev/null; done
}
server() { sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$dir/$1/kubeconfig"; }
bare() { "$bench" "$(server "$1")" "$dir/$1/certs/apiserver.crt" admin-token "$count" "$concurrency"; }
stored() { "$here/stored.py" "$(cat "$dir/$1/etcd.url")" "${@:2}"; } # NAME [AT-LEAST SECONDS]

run() {
	"$RESILOG" run -f "$dir/sync.yaml" --data "$dir/data" --kubeconfig "source=$dir/source/kubeconfig" \
		--kubeconfig "destination=$dir/destination/kubeconfig" --log-level warn 2>>"$dir/resilog.log" &
	pid=$!
}
end_run() {
	kill -TERM "$pid"
	wait "$pid"
	pid=
}
failed() {
	tail -5 "$dir/resilog.log" >&2
	exit 1
}
sample() { # until the process is gone: the most memory of its own, in kB
	local now most=0
	while now=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		[ "$now" -le "$most" ] || echo $((most = now)) >"$dir/most"
		sleep 0.2
	done
}
asked() { # CLUSTER VERB-PATTERN: how many requests for the kinds below were answered
	k "$1" get --raw /metrics | grep -E '^apiserver_request_total.*resource="(configmaps|secrets|deployments|serviceaccounts)"' |
		grep -E "verb=\"($2)\"" | awk '{ n += $NF } END { print n + 0 }'
}
until_live() { # SECONDS
	local end=$((SECONDS + $1))
	until "$RESILOG" status --data "$dir/data" -o json | grep -q '"phase": *"Live"'; do
		kill -0 "$pid" && [ $SECONDS -lt $end ] || failed
		sleep 0.2
	done
}

start source
first=$(bare source)
all=$(stored source)
start destination
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
---
apiVersion: automation.astronetes.io/v1alpha1
kind: LiveSynchronization
metadata: {name: bench}
spec:
  plugin: kubernetes-objects-to-kubernetes
  config:
    sourceName: source
    destinationName: destination
    replication:
      resources:
        - {group: "", version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^o-"]}}}
        - {group: "", version: v1, resource: secrets, filters: {nameSelector: {regex: ["^o-"]}}}
        - {group: apps, version: v1, resource: deployments, filters: {nameSelector: {regex: ["^o-"]}}}
        - {group: "", version: v1, resource: serviceaccounts, filters: {nameSelector: {regex: ["^o-"]}}}
Y
stored destination "$all" $((60 + count / 50)) >/dev/null &
counting=$!
sleep 0.2 # until its interpreter has started
begin=${EPOCHREALTIME/./}
run
sample &
sampling=$!
wait -n -p ended "$pid" "$counting" && [ "$ended" = "$counting" ] || failed
took=$((${EPOCHREALTIME/./} - begin))
memory=$(awk '/^Rss(Anon|File)/ { printf "%s %s kB  ", $1, $2 }' "/proc/$pid/status")
end_run
wait "$sampling"
sampling=
first_writes=$(asked destination 'POST|PUT|PATCH|DELETE')
first_lists=$(asked source LIST)
run
until_live 60
sleep 3 # what a start that is not content would ask for
end_run
writes=$(($(asked destination 'POST|PUT|PATCH|DELETE') - first_writes))
lists=$(($(asked source LIST) - first_lists))
"$kube/kube.sh" stop "$dir/source" KILL
start bare
second=$(bare bare)
awk -v n="$count" -v writes="$writes" -v lists="$lists" -v first_writes="$first_writes" -v first_lists="$first_lists" -v most="$(cat "$dir/most")" -v us="$took" -v a="$first" -v b="$second" -v memory="$memory" 'BEGIN {
	ours = n / (us / 1e6)
	printf "started again on the same data: %d writes and %d lists; %d and %d before\n", writes, lists, first_writes, first_lists
	printf "cold sync of %d objects: resilog %.0f/s  bare client %.0f/s and %.0f/s  ratio %.2f  (%sat most %d kB RssAnon)\n", n, ours, a, b, ours / ((a + b) / 2), memory, most
}'
