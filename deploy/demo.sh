#!/bin/bash
# deploy/demo.sh [--keep] [--zookeeper | --source KUBECONFIG --destination KUBECONFIG]: shows resilog at work between two clusters.
#
# With --zookeeper it shows it between two ZooKeeper servers of its own, of Debian's package (a minute; nothing else is fetched).
# Without kubeconfigs it starts two real API servers of its own on this machine. It installs the packages that are missing (as root), builds
# resilog, loads a small application into the source and runs the active-passive sample. --keep leaves all of it running until Ctrl-C.
# Everything it makes is below one temporary folder and, with your own clusters, in the namespace resilog-demo; both are removed at the end.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kube=$root/tests/servers/kube
ns=resilog-demo
keep=no zookeeper= source= destination=

usage() { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
while [ $# -gt 0 ]; do
	case $1 in
	--keep) keep=yes ;;
	--zookeeper) zookeeper=yes ;;
	--source | --destination)
		[ $# -gt 1 ] && [ -r "$2" ] || { echo "$1 needs a readable kubeconfig" >&2; exit 2; }
		printf -v "${1#--}" %s "$(readlink -f "$2")"
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
case ${source:+s}${destination:+d} in
s | d) echo "--source and --destination go together" >&2; exit 2 ;;
sd) [ -z "$zookeeper" ] || { echo "--zookeeper goes without --source and --destination" >&2; exit 2; } ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/resilog-demo.XXXXXX")
resilog_pid= resilog= own_clusters=no made_namespace=
if [ -n "$zookeeper" ]; then
	client_of_source="zkCli.sh -server SOURCE" client_of_destination="zkCli.sh -server DESTINATION"
else
	client_of_source="kubectl --kubeconfig SOURCE -n $ns" client_of_destination="kubectl --kubeconfig DESTINATION -n $ns"
fi

say() { printf '\n[%3ds] %s\n' "$SECONDS" "$*"; }
show() { # prints the command as a reader would type it, then runs it
	local shown=$*
	case $1 in
	src) shown="$client_of_source ${*:2}" ;;
	dst) shown="$client_of_destination ${*:2}" ;;
	"$resilog") shown="resilog ${*:2}" ;;
	esac
	echo "  \$ $shown"
	"$@" 2>&1 | sed 's/^/    /'
}

stop_resilog() {
	[ -n "$resilog_pid" ] || return 0
	kill -TERM "$resilog_pid" 2>/dev/null || :
	wait "$resilog_pid" || :
	resilog_pid=
}
clean_up() {
	trap '' INT TERM HUP
	trap - EXIT
	say "cleaning up"
	stop_resilog
	[ "$own_clusters" != yes ] || made_namespace= # they end as a whole, and have no controller that could delete one
	for config in $made_namespace; do
		"$kubectl" --kubeconfig "$config" delete namespace "$ns" --timeout=60s --ignore-not-found >/dev/null 2>&1 || :
	done
	if [ "$own_clusters" = yes ]; then
		for name in source destination; do
			[ ! -d "$work/$name" ] || "$kube/kube.sh" stop "$work/$name" KILL || :
		done
	fi
	for name in source destination; do
		[ ! -e "$work/$name/zk.servers" ] || "$root/tests/servers/zookeeper/zk.sh" stop "$work/$name" KILL || :
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wait_for() { # SECONDS WHAT COMMAND...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "$what: not within the time; the last lines of resilog:" >&2
			tail -5 "$work/resilog.log" >&2
			exit 1
		}
		sleep 0.05
	done
}

say "packages that resilog is built with"
"$root/tools/install_packages.sh" build
[ -z "$zookeeper" ] || "$root/tools/install_packages.sh" test
for tool in curl openssl perl; do
	command -v "$tool" >/dev/null || { "$root/tools/install_packages.sh" build test; break; }
done

say "building resilog"
(cd "$root" && cmake --preset release -B build/demo -DRESILOG_TESTS=OFF >"$work/cmake.log" && cmake --build build/demo --target resilog -- --quiet) ||
	{ cat "$work/cmake.log" >&2; exit 1; }
resilog=$root/build/demo/cli/resilog
show "$resilog" version

if [ -n "$zookeeper" ]; then
	. "$root/deploy/demo_zookeeper.bash"
	say "how to go on: deploy/demo.sh --zookeeper --keep leaves it running; docs/reference/zookeeper.md says what may be in the resources"
	exit 0
fi

if [ -z "$source" ]; then
	say "two API servers (the first time they are built from source, about ten minutes, once)"
	"$kube/programs.sh" get etcd kube-apiserver kubectl
	kubectl=$("$kube/programs.sh" find kubectl)
	own_clusters=yes
	for name in source destination; do "$kube/kube.sh" start "$work/$name"; done
	source=$work/source/kubeconfig destination=$work/destination/kubeconfig
else
	kubectl=$(command -v kubectl) || { "$kube/programs.sh" get kubectl; kubectl=$("$kube/programs.sh" find kubectl); }
fi
src() { "$kubectl" --kubeconfig "$source" --cache-dir "$work/cache" -n "$ns" "$@"; }
dst() { "$kubectl" --kubeconfig "$destination" --cache-dir "$work/cache" -n "$ns" "$@"; }

say "the namespace $ns in both clusters (the sample copies no namespaces), labelled so that the sample selects it"
for config in "$source" "$destination"; do
	if "$kubectl" --kubeconfig "$config" get namespace "$ns" >/dev/null 2>&1; then
		echo "the namespace $ns exists already; remove it first" >&2
		exit 4
	fi
	"$kubectl" --kubeconfig "$config" create namespace "$ns"
	made_namespace="$made_namespace $config"
	"$kubectl" --kubeconfig "$config" label namespace "$ns" sync=true
done

say "a small application in the source"
show src apply -f "$root/deploy/samples/shop.yaml"

say "the active-passive sample: Deployments arrive with 0 replicas, all else as it is"
mkdir "$work/livesync"
cp "$root"/tests/e2e/reference/8.2-{cluster-1,cluster-2,livesync}.yaml "$work/livesync/"
echo "  \$ resilog run -f livesync/ --data data --kubeconfig cluster-1=SOURCE --kubeconfig cluster-2=DESTINATION"
"$resilog" run -f "$work/livesync" --data "$work/data" --kubeconfig cluster-1="$source" --kubeconfig cluster-2="$destination" \
	2>"$work/resilog.log" &
resilog_pid=$!

arrived() { dst get deployment/shop service/shop secret/shop-database role/shop rolebinding/shop serviceaccount/shop ingress/shop; }
begin=${EPOCHREALTIME/./}
wait_for 60 "the application in the destination" arrived
say "all seven objects are in the destination, $(((${EPOCHREALTIME/./} - begin) / 1000)) ms after the start"
show dst get deployment,service,secret,role,rolebinding,serviceaccount,ingress

say "3 replicas in the source, 0 in the destination"
show src get deployment shop -o 'jsonpath={.spec.replicas}{"\n"}'
show dst get deployment shop -o 'jsonpath={.spec.replicas}{"\n"}'

say "a change follows"
image() { dst get deployment shop -o 'jsonpath={.spec.template.spec.containers[0].image}'; }
changed() { [ "$(image)" = registry.example.com/shop:2.0 ]; }
src set image deployment/shop shop=registry.example.com/shop:2.0
begin=${EPOCHREALTIME/./}
wait_for 30 "the new image in the destination" changed
echo "    the destination has $(image), $(((${EPOCHREALTIME/./} - begin) / 1000)) ms later (kubectl's own time included)"

say "a delete follows"
gone() { ! dst get ingress shop; }
src delete ingress shop
wait_for 30 "the delete in the destination" gone
echo "    the Ingress is gone in the destination, too"

say "the status"
caught_up() { "$resilog" status --data "$work/data" -o json | grep -q '"phase":"Live"'; }
wait_for 30 "the status Live" caught_up
show "$resilog" status --data "$work/data"

say "the log: every change, who made it, and what it was"
show "$resilog" log show --data "$work/data" -n "$ns"
show "$resilog" log show --data "$work/data" --op delete
show "$resilog" log verify --data "$work/data"

if [ "$keep" = yes ]; then
	say "everything keeps running until Ctrl-C; in another terminal:"
	cat <<-TEXT
		    $kubectl --kubeconfig $source -n $ns scale deployment shop --replicas 5
		    $kubectl --kubeconfig $destination -n $ns get deployments
		    $resilog log show --data $work/data -f
		    $resilog status --data $work/data
	TEXT
	wait "$resilog_pid" || :
	exit 0
fi
say "how to go on: deploy/demo.sh --keep leaves it running; deploy/demo.sh --source A --destination B uses your own clusters;"
echo "       README.md says how to run resilog on your own resources"
