#!/bin/bash
# A cold sync of mixed objects beside a bare client that POSTs the same objects at the same concurrency to an API server on the same machine.
# The bare client runs before and after; the ratio is against the mean of both. RESILOG_BENCH_SMOKE=1: 1,000 objects; else 10,000.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kube=$here/../servers/kube
bench=$(dirname "${RESILOG:?path of the program}")/../tests/bench/bench_posts
count=10000
[ -z "${RESILOG_BENCH_SMOKE:-}" ] || count=1000
concurrency=32

"$kube/programs.sh" get etcd kube-apiserver kubectl || { [ $? -eq 3 ] && [ "${RESILOG_TEST_ALL:-}" != 1 ] && exit 77; exit 1; }
kubectl=$("$kube/programs.sh" find kubectl)
dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
pid=
clean_up() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
	for name in source destination bare; do [ ! -d "$dir/$name" ] || "$kube/kube.sh" stop "$dir/$name" KILL || :; done
	rm -rf "$dir"
}
trap clean_up EXIT

k() { "$kubectl" --kubeconfig "$dir/$1/kubeconfig" --cache-dir "$dir/cache" "${@:2}"; }
start() { # NAME
	"$kube/kube.sh" start "$dir/$1"
	for i in 0 1 2 3 4 5 6 7 8 9; do k "$1" create namespace "bench-$i" >/dev/null; done
}
server() { sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$dir/$1/kubeconfig"; }
bare() { "$bench" "$(server "$1")" "$dir/$1/certs/apiserver.crt" admin-token "$count" "$concurrency"; }
stored() { "$here/stored.py" "$(cat "$dir/$1/etcd.url")" "${@:2}"; } # NAME [AT-LEAST SECONDS]

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
stored destination "$all" 300 >/dev/null &
counting=$!
sleep 0.2 # until its interpreter has started
begin=${EPOCHREALTIME/./}
"$RESILOG" run -f "$dir/sync.yaml" --data "$dir/data" --kubeconfig "source=$dir/source/kubeconfig" \
	--kubeconfig "destination=$dir/destination/kubeconfig" --log-level warn 2>"$dir/resilog.log" &
pid=$!
wait -n -p ended "$pid" "$counting" && [ "$ended" = "$counting" ] || { tail -5 "$dir/resilog.log"; exit 1; }
took=$((${EPOCHREALTIME/./} - begin))
memory=$(awk '/^Rss(Anon|File)/ { printf "%s %s kB  ", $1, $2 }' "/proc/$pid/status")
kill -TERM "$pid"
wait "$pid"
pid=
"$kube/kube.sh" stop "$dir/source" KILL
start bare
second=$(bare bare)
awk -v n="$count" -v us="$took" -v a="$first" -v b="$second" -v memory="$memory" 'BEGIN {
	ours = n / (us / 1e6)
	printf "cold sync of %d objects: resilog %.0f/s  bare client %.0f/s and %.0f/s  ratio %.2f  (%s)\n", n, ours, a, b, ours / ((a + b) / 2), memory
}'
