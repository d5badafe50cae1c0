#!/bin/bash
# What resilog takes of a core while it watches 50 kinds and nothing changes. RESILOG_BENCH_SMOKE=1: over 5 s; else over 60 s.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kube=$here/../servers/kube
kinds=50
seconds=60
[ -z "${RESILOG_BENCH_SMOKE:-}" ] || seconds=5

"$kube/programs.sh" get etcd kube-apiserver kubectl || { [ $? -eq 3 ] && [ "${RESILOG_TEST_ALL:-}" != 1 ] && exit 77; exit 1; }
kubectl=$("$kube/programs.sh" find kubectl)
dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
pid=
clean_up() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
	for name in source destination; do [ ! -d "$dir/$name" ] || "$kube/kube.sh" stop "$dir/$name" KILL || :; done
	rm -rf "$dir"
}
trap "" PIPE # who reads our lines may go: then they fail, and all is cleaned up
trap clean_up EXIT

k() { "$kubectl" --kubeconfig "$dir/source/kubeconfig" --cache-dir "$dir/cache" "$@"; }
definition() { # NUMBER
	cat <<-Y
		---
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: kind$1s.example.com}
		spec:
		  group: example.com
		  scope: Namespaced
		  names: {plural: kind$1s, singular: kind$1, kind: Kind$1}
		  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
	Y
}
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat"; } # of USER_HZ, which is 100 on every Linux

for cluster in source destination; do "$kube/kube.sh" start "$dir/$cluster"; done
for i in $(seq $kinds); do definition "$i"; done >"$dir/crds.yaml"
k create -f "$dir/crds.yaml" >/dev/null
k wait --for=condition=Established crd --all --timeout=60s >/dev/null
{
	cat <<-Y
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
		metadata: {name: idle}
		spec:
		  plugin: kubernetes-objects-to-kubernetes
		  config:
		    sourceName: source
		    destinationName: destination
		    replication:
		      resources:
	Y
	seq -f "        - {group: example.com, version: v1, resource: kind%.0fs}" $kinds
} >"$dir/sync.yaml"
"$RESILOG" run -f "$dir/sync.yaml" --data "$dir/data" --kubeconfig "source=$dir/source/kubeconfig" \
	--kubeconfig "destination=$dir/destination/kubeconfig" --log-level warn 2>"$dir/resilog.log" &
pid=$!
listed() { "$RESILOG" log show --data "$dir/data" --all --op sync-end -o jsonl 2>/dev/null | grep -c . || :; }
end=$((SECONDS + 60))
until [ "$(listed)" -ge $kinds ]; do
	kill -0 "$pid" && [ $SECONDS -lt $end ] || { tail -5 "$dir/resilog.log" >&2; exit 1; }
	sleep 0.5
done
sleep 3 # the last statuses and checkpoints
before=$(cpu_ms)
sleep $seconds
after=$(cpu_ms)
kill -TERM "$pid"
wait "$pid"
pid=
awk -v n=$kinds -v s=$seconds -v ms=$((after - before)) 'BEGIN {
	printf "idle with %d watches: %d ms of CPU in %d s, %.2f percent of a core\n", n, ms, s, ms / s / 10
}'
