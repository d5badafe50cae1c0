#!/bin/bash
# Copies between two ZooKeeper servers of one node, beside a bare client on the C library, on the same machine: its asynchronous single creates, its
# pipelined getACL and a naive copy of one call at a time. Then a second run with nothing changed and a third with some, with what both servers
# counted; what a live mirror takes from a change to its copy; and (not in the smoke) the memory of 500,000 nodes. A run counts from the start of
# the process to its end. RESILOG_BENCH_SMOKE=1: 2,000 nodes; else RESILOG_BENCH_NODES, 50,000 by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
zk=$here/../servers/zookeeper/zk.sh
bench=$(dirname "${RESILOG:?path of the program}")/../tests/bench/bench_zk
nodes=${RESILOG_BENCH_NODES:-50000}
rate=500 seconds=10
[ -z "${RESILOG_BENCH_SMOKE:-}" ] || { nodes=2000 seconds=2; }
[ -x "$bench" ] || { echo "skipped: bench_zk was not built: libzookeeper-mt-dev is missing"; [ "${RESILOG_TEST_ALL:-}" != 1 ] && exit 77; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
pid=
clean_up() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
	for name in source destination bare; do [ ! -d "$dir/$name" ] || "$zk" stop "$dir/$name" KILL || :; done
	rm -rf "$dir"
}
trap "" PIPE # who reads our lines may go: then they fail, and all is cleaned up
trap clean_up EXIT

start() { "$zk" start "$dir/$1"; }
at() { cat "$dir/$1/zk.servers"; }
again() { # NAME: the server with an empty tree
	"$zk" stop "$dir/$1" KILL
	rm -rf "${dir:?}/$1"
	start "$1"
}
failed() {
	tail -5 "$dir/resilog.log" >&2
	exit 1
}
resources() { # KIND ROOT FIELDS
	cat <<Y
apiVersion: assets.astronetes.io/v1alpha1
kind: Database
metadata: {name: source}
spec: {zookeeper: {client: {servers: ["$(at source)"]}}}
---
apiVersion: assets.astronetes.io/v1alpha1
kind: Database
metadata: {name: destination}
spec: {zookeeper: {client: {servers: ["$(at destination)"]}}}
---
apiVersion: automation.astronetes.io/v1alpha1
kind: $1
metadata: {name: bench}
spec:
  plugin: zookeeper-to-zookeeper-nodes
  config: {sourceName: source, destinationName: destination, rootPath: $2, createRootPath: true$3}
Y
}
once() { # DATA: microseconds from the program's start to its end
	local begin=${EPOCHREALTIME/./}
	"$RESILOG" run --once -f "$dir/sync.yaml" --data "$dir/$1" --log-level warn 2>>"$dir/resilog.log" || failed
	echo $((${EPOCHREALTIME/./} - begin))
}
srvr() { # NAME FIELD: what the server says of itself
	local address=$(at "$1")
	exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
	printf srvr >&3
	sed -n "s/^$2: //p" <&3
	exec 3<&-
}
counts() { echo $(($(srvr source Received))) $(($(srvr destination Zxid))); }
told() { # BEFORE AFTER: the requests that the source got, of them not our own srvr; the transactions of the destination but for a session's begin and end
	echo $(($3 - $1 - 1)) $(($4 - $2 - 2))
}
follow_log() { # DATA: starts the live mirror
	"$RESILOG" run -f "$dir/sync.yaml" --data "$dir/$1" --log-level warn 2>>"$dir/resilog.log" &
	pid=$!
}
is_level() { # DATA EVENTS: all that the log has, and that is more than this, is applied
	local status=$("$RESILOG" status --data "$dir/$1" -o json 2>/dev/null | tr -d ' \n')
	[[ $status == *'"phase":"Live"'*'"lagRecords":0,'* ]] && status=${status#*\"offset\":} && [ "${status%%,*}" -gt "$2" ]
}
end_follow() {
	kill -TERM "$pid"
	wait "$pid" || :
	pid=
}

start source
start destination
start bare
"$bench" fill "$(at source)" /bench "$nodes" 200
single=$("$bench" create "$(at bare)" /bench "$nodes" 200)
acls=$("$bench" getacl "$(at source)" /bench "$nodes")
again bare
naive_nodes=$((nodes / 10))
"$bench" fill "$(at source)" /naive "$naive_nodes" 200
naive=$("$bench" copy "$(at source)" "$(at bare)" /naive "$naive_nodes")

resources Synchronization /bench ", acl: false" >"$dir/sync.yaml"
plain=$(once plain)
again destination
resources Synchronization /bench "" >"$dir/sync.yaml"
before=$(counts)
first=$(once data)
asked_first=$(told $before $(counts))
before=$(counts)
second=$(once data)
asked_second=$(told $before $(counts))
"$bench" touch "$(at source)" /bench "$nodes" 100
before=$(counts)
third=$(once data)
asked_third=$(told $before $(counts))
awk -v n="$nodes" -v single="$single" -v acls="$acls" -v naive="$naive" -v plain="$plain" -v first="$first" 'BEGIN {
	printf "copy of %d nodes without ACLs: resilog %.0f/s  bare single creates %.0f/s, ratio %.2f  naive copy %.0f/s, ratio %.1f\n", n, n / (plain / 1e6), single, n / (plain / 1e6) / single, naive, n / (plain / 1e6) / naive
	printf "with ACLs: resilog %.0f/s  bare getACL %.0f/s, ratio %.2f\n", n / (first / 1e6), acls, n / (first / 1e6) / acls
}'
run_line() { # TITLE MICROSECONDS REQUESTS TRANSACTIONS
	awk -v title="$1" -v took="$2" -v first="$first" -v asked="$3" -v wrote="$4" 'BEGIN {
		printf "%s: %.2f s, %.2f of the first  requests to the source %d  transactions of the destination %d\n", title, took / 1e6, took / first, asked, wrote
	}'
}
run_line "first run" "$first" $asked_first
run_line "second run, nothing changed" "$second" $asked_second
run_line "third run, the data of every 100th changed" "$third" $asked_third

resources LiveSynchronization /bench "" >"$dir/sync.yaml"
sed -i 's/{name: bench}/{name: live}/' "$dir/sync.yaml"
follow_log live
for _ in $(seq 300); do
	is_level live "$nodes" && break
	kill -0 "$pid" || failed
	sleep 0.2
done
echo "live at $rate changes/s: $("$bench" follow "$(at source)" "$(at destination)" /bench "$rate" "$seconds")"
end_follow

[ -z "${RESILOG_BENCH_SMOKE:-}" ] || exit 0
export ZK_HEAP=1500m
again destination
again source
"$bench" fill "$(at source)" /many 500000 100
resources LiveSynchronization /many "" >"$dir/sync.yaml"
follow_log many
most=0
for _ in $(seq 900); do
	now=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status")
	[ "${now:-0}" -le "$most" ] || most=$now
	is_level many 500000 && break
	kill -0 "$pid" || failed
	sleep 0.2
done
is_level many 500000 || { echo "500,000 nodes were not copied in time" >&2; failed; }
echo "500,000 nodes: at most $most kB RssAnon"
end_follow
