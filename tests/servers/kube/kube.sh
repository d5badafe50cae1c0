#!/bin/bash
# kube.sh start DIR [controllers]   one cluster on loopback: etcd and kube-apiserver, and kube-controller-manager if asked for
# kube.sh kill DIR PART [SIGNAL]    end etcd, apiserver or controllers (KILL by default) and wait until it is gone
# kube.sh restart DIR PART          start etcd, apiserver or controllers again where it was, ending it first if it runs
# kube.sh compact DIR               compact etcd: after this and a restart of the API server an older watch answers 410
# kube.sh stop DIR [SIGNAL]         end all of it (TERM by default)
#
# Environment: ETCD_FLAGS, API_FLAGS, KCM_FLAGS add options.
# DIR then holds: kubeconfig (user admin, group system:masters), <part>.pid, <part>.log, ports, etcd.url.
# Only a process that this script started is ever signalled: its program and its DIR are looked up in /proc first.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib.bash"
start_tries=3
ready_seconds=60

usage() { sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }

program_of() { # PART
	case $1 in
	etcd) echo etcd ;;
	apiserver) echo kube-apiserver ;;
	controllers) echo kube-controller-manager ;;
	*) usage ;;
	esac
}

# True while the part that we started is alive; false for a zombie and for a stranger that got the number later.
alive() { # PART
	local pid exe
	[ -e "$dir/$1.pid" ] || return 1
	pid=$(cat "$dir/$1.pid")
	exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
	exe=${exe% (deleted)}
	[ "${exe##*/}" = "$(program_of "$1")" ] || return 1
	tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$dir/"
}

tail_of() { # PART
	say "$1 did not become ready; the end of $dir/$1.log:"
	tail -n 5 "$dir/$1.log" >&2 || :
}

run() { # PART PROGRAM OPTION...
	local part=$1 end=$((SECONDS + 10))
	shift
	(
		exec </dev/null >>"$dir/$part.log" 2>&1
		for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done # a test's own files are not the server's
		exec setsid "$@"
	) &
	echo $! >"$dir/$part.pid"
	until alive "$part"; do
		[ -e "/proc/$!/exe" ] && [ "$SECONDS" -lt "$end" ] || { tail_of "$part"; return 1; }
		sleep 0.01
	done
}

start_etcd() {
	local client=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$peer_port
	run etcd "$(program etcd)" --name c --data-dir "$dir/etcd" --log-level warn \
		--listen-client-urls "$client" --advertise-client-urls "$client" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "c=$peer" ${ETCD_FLAGS:-}
}

start_apiserver() {
	local accounts=--disable-admission-plugins=ServiceAccount # without controllers nobody makes the account that a Pod needs
	[ ! -e "$dir/controllers" ] || accounts=
	run apiserver "$(program kube-apiserver)" --etcd-servers="http://127.0.0.1:$etcd_port" \
		--bind-address=127.0.0.1 --secure-port="$api_port" --cert-dir="$dir/certs" --service-cluster-ip-range=10.0.0.0/16 \
		--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$dir/sa.key" \
		--service-account-signing-key-file="$dir/sa.key" --token-auth-file="$dir/tokens.csv" \
		--authorization-mode=RBAC --allow-privileged=true --profiling=false $accounts ${API_FLAGS:-} || return 1
	local end=$((SECONDS + ready_seconds))
	until curl -sk -m 2 -H 'Authorization: Bearer admin-token' "https://127.0.0.1:$api_port/readyz" | grep -qx ok; do
		alive apiserver && [ "$SECONDS" -lt "$end" ] || { tail_of apiserver; return 1; }
		sleep 0.05
	done
}

start_controllers() {
	run controllers "$(program kube-controller-manager)" --kubeconfig="$dir/kubeconfig" --leader-elect=false \
		--service-account-private-key-file="$dir/sa.key" --root-ca-file="$dir/certs/apiserver.crt" \
		--bind-address=127.0.0.1 --secure-port="$kcm_port" --cert-dir="$dir/kcm" ${KCM_FLAGS:-}
}

program() { # NAME
	"$here/programs.sh" find "$1" || { say "$1 is missing: run $here/programs.sh get"; exit 3; }
}

write_kubeconfig() {
	cat >"$dir/kubeconfig.new" <<-K
		apiVersion: v1
		kind: Config
		clusters: [{name: test, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority-data: $(base64 -w0 <"$dir/certs/apiserver.crt")}}]
		users: [{name: admin, user: {token: admin-token}}]
		contexts: [{name: test, context: {cluster: test, user: admin}}]
		current-context: test
	K
	mv "$dir/kubeconfig.new" "$dir/kubeconfig"
}

use() { # DIR
	dir=$(cd "$1" 2>/dev/null && pwd) || { say "$1 is not a folder"; exit 1; }
	[ ! -e "$dir/ports" ] || read -r api_port etcd_port peer_port kcm_port <"$dir/ports"
}

start() { # DIR [controllers]
	local try name
	for name in etcd kube-apiserver ${2:+kube-controller-manager}; do program "$name" >/dev/null; done
	umask 077
	mkdir -p "$1"
	use "$1"
	[ ! -e "$dir/ports" ] || { say "$dir holds a cluster already: stop it and remove the folder, or use restart"; exit 1; }
	[ -z "${2:-}" ] || touch "$dir/controllers"
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/sa.key" 2>/dev/null
	echo "admin-token,admin,uid-admin,system:masters" >"$dir/tokens.csv"
	for try in $(seq $start_tries); do # another process may take a port before the server does
		free_ports 4 >"$dir/ports"
		use "$dir"
		echo "http://127.0.0.1:$etcd_port" >"$dir/etcd.url"
		if start_etcd && start_apiserver; then break; fi
		stop KILL
		[ "$try" -lt $start_tries ] || exit 1
		rm -rf "$dir/etcd" "$dir/certs"
		say "trying again with other ports"
	done
	write_kubeconfig
	[ -z "${2:-}" ] || start_controllers || { stop KILL; exit 1; }
}

stop() { # [SIGNAL]
	local part
	for part in controllers apiserver etcd; do # an API server that loses etcd first takes long to end
		signal "$part" "${1:-TERM}"
		wait_gone "$part"
	done
}

compact() {
	local url revision
	url=$(cat "$dir/etcd.url")
	revision=$(curl -fsS "$url/v3/kv/range" -d '{"key":"AA=="}' | sed -n 's/.*"revision":"\([0-9]*\)".*/\1/p')
	curl -fsS "$url/v3/kv/compaction" -d "{\"revision\":\"$revision\",\"physical\":true}" >/dev/null
	echo "$revision"
}

[ $# -ge 2 ] || usage
command=$1
case $command in
start)
	trap '[ -z "${dir:-}" ] || stop KILL; exit 143' INT TERM HUP
	start "$2" "${3:-}" ;;
kill) use "$2"; program_of "$3" >/dev/null; signal "$3" "${4:-KILL}"; wait_gone "$3" ;;
restart)
	use "$2"
	program_of "$3" >/dev/null
	signal "$3" KILL
	wait_gone "$3"
	"start_$3" ;;
compact) use "$2"; compact ;;
stop) use "$2"; stop "${3:-TERM}" ;;
*) usage ;;
esac
