#!/bin/bash
# zk.sh start DIR [3]          one server on loopback, or an ensemble of three
# zk.sh kill DIR N [SIGNAL]    end server N (KILL by default) and wait until it is gone
# zk.sh restart DIR N          start server N again where it was, ending it first if it runs
# zk.sh leader DIR             print the number of the server that leads (of a single one: 1)
# zk.sh stop DIR [SIGNAL]      end all of it (TERM by default)
# zk.sh cli DIR COMMAND...     one command of ZooKeeper's own shell: create -e, create -s, setquota
#
# Environment of start: ZK_VERSION=debian (3.8) or 3.9.5, ZK_TLS=1 adds a port with TLS that demands a client certificate,
# ZK_CONFIG=lines adds to each server's configuration, ZK_HEAP=160m is the memory of one. ZK_ADMIN=1 gives each an AdminServer; with
# ZK_TLS its port takes https, too. ZK_READ_ONLY=1, of start and restart, lets one serve reads while it sees no majority.
# DIR then holds: zk.servers (HOST:PORT,...), zk.servers.tls, zk.admin, tls/{ca,client}.{crt,key}, N.cfg, N.pid, N.log.
# The user super with the password super may do everything (scheme digest).
# Only a process that this script started is ever signalled: its program and its DIR are looked up in /proc first.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib.bash"
start_tries=3
ready_seconds=60
ports_each=5 # client, TLS, quorum, election, admin
super='super:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=' # base64 of SHA-1 of super:super

usage() { sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }

# True while the server that we started is alive; false for a zombie and for a stranger that got the number later.
alive() { # N
	local pid exe
	[ -e "$dir/$1.pid" ] || return 1
	pid=$(cat "$dir/$1.pid")
	exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
	[ "${exe##*/}" = java ] || return 1
	tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$dir/$1.cfg"
}

# What server N says to a word of four letters; nothing while it does not listen.
four_letters() { # N WORD
	timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf %s "$2" >&3 && cat <&3' - "$(port_of "$1" 0)" "$2" 2>/dev/null || :
}

port_of() { # N WHICH
	echo "${ports[(($1 - 1) * ports_each + $2)]}"
}

run() { # N
	local end=$((SECONDS + 10))
	(
		exec </dev/null >>"$dir/$1.log" 2>&1
		for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done # a test's own files are not the server's
		exec setsid java "-Xmx${ZK_HEAP:-160m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true \
			-Dzookeeper.jmx.log4j.disable=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
			"-Dreadonlymode.enabled=$([ -z "${ZK_READ_ONLY:-}" ] || echo true)" "-Dzookeeper.DigestAuthenticationProvider.superDigest=$super" \
			-cp "$(cat "$dir/jars")" org.apache.zookeeper.server.quorum.QuorumPeerMain "$dir/$1.cfg"
	) &
	echo $! >"$dir/$1.pid"
	until alive "$1"; do
		[ -e "/proc/$!/exe" ] && [ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.01
	done
}

# Until each of these serves.
wait_ready() { # N...
	local n end=$((SECONDS + ready_seconds))
	for n; do
		until four_letters "$n" srvr | grep -q '^Mode:'; do
			alive "$n" && [ "$SECONDS" -lt "$end" ] || { say "server $n did not become ready; the end of $dir/$n.log:"; tail -n 5 "$dir/$n.log" >&2; return 1; }
			sleep 0.05
		done
	done
}

make_certificates() {
	local name extra
	mkdir -p "$dir/tls"
	(
		cd "$dir/tls"
		openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=test authority" -keyout ca.key -out ca.crt
		for name in server client; do
			extra=subjectAltName=DNS:localhost,IP:127.0.0.1
			openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
			openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile <(echo "$extra") -out "$name.crt"
		done
		cat server.key server.crt >server.pem
	) 2>/dev/null
}

write_config() { # N COUNT
	local i
	mkdir -p "$dir/data$1"
	echo "$1" >"$dir/data$1/myid"
	{
		cat <<-C
			tickTime=500
			initLimit=20
			syncLimit=10
			dataDir=$dir/data$1
			clientPort=$(port_of "$1" 0)
			clientPortAddress=127.0.0.1
			maxClientCnxns=0
			4lw.commands.whitelist=srvr
			admin.enableServer=$([ -n "${ZK_ADMIN:-}" ] && echo true || echo false)
			admin.serverAddress=127.0.0.1
			admin.serverPort=$(port_of "$1" 4)
		C
		[ ! -d "$dir/tls" ] || cat <<-C
			serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
			secureClientPort=$(port_of "$1" 1)
			secureClientPortAddress=127.0.0.1
			ssl.keyStore.location=$dir/tls/server.pem
			ssl.keyStore.type=PEM
			ssl.trustStore.location=$dir/tls/ca.crt
			ssl.trustStore.type=PEM
			ssl.clientAuth=need
			admin.portUnification=true
			ssl.quorum.keyStore.location=$dir/tls/server.pem
			ssl.quorum.keyStore.type=PEM
			ssl.quorum.trustStore.location=$dir/tls/ca.crt
			ssl.quorum.trustStore.type=PEM
		C
		[ "$2" = 1 ] || for i in $(seq "$2"); do echo "server.$i=127.0.0.1:$(port_of "$i" 2):$(port_of "$i" 3)"; done
		printf '%s\n' "${ZK_CONFIG:-}"
	} >"$dir/$1.cfg"
}

join() { local IFS=,; echo "$*"; }

write_addresses() { # N...
	local n plain=() tls=() admin=()
	for n; do
		plain+=("127.0.0.1:$(port_of "$n" 0)")
		tls+=("127.0.0.1:$(port_of "$n" 1)")
		admin+=("127.0.0.1:$(port_of "$n" 4)")
	done
	join "${plain[@]}" >"$dir/zk.servers"
	[ ! -d "$dir/tls" ] || join "${tls[@]}" >"$dir/zk.servers.tls"
	[ -z "${ZK_ADMIN:-}" ] || join "${admin[@]}" >"$dir/zk.admin"
}

use() { # DIR
	dir=$(cd "$1" 2>/dev/null && pwd) || { say "$1 is not a folder"; exit 1; }
	[ ! -e "$dir/ports" ] || read -ra ports <"$dir/ports"
	numbers=$(cd "$dir" && ls | sed -n 's/^\([0-9]*\)\.cfg$/\1/p')
}

start() { # DIR COUNT
	local try n failed
	"$here/jars.sh" get "${ZK_VERSION:-debian}"
	umask 077
	mkdir -p "$1"
	use "$1"
	[ ! -e "$dir/ports" ] || { say "$dir holds servers already: stop them and remove the folder, or use restart"; exit 1; }
	"$here/jars.sh" find "${ZK_VERSION:-debian}" >"$dir/jars"
	[ -z "${ZK_TLS:-}" ] || make_certificates
	for try in $(seq $start_tries); do # another process may take a port before the server does
		free_ports $(($2 * ports_each)) >"$dir/ports"
		read -ra ports <"$dir/ports"
		for n in $(seq "$2"); do write_config "$n" "$2"; done
		use "$dir"
		write_addresses $numbers
		failed=
		for n in $numbers; do run "$n" || failed=1; done
		[ -n "$failed" ] || ! wait_ready $numbers || return 0
		stop KILL
		rm -rf "$dir"/data*/version-2
		[ "$try" -eq $start_tries ] || say "trying again with other ports"
	done
	exit 1
}

known() { # N
	[[ " "$numbers" " =~ [[:space:]]"$1"[[:space:]] ]] || { say "$dir has no server $1"; exit 2; }
}

stop() { # SIGNAL
	local n
	for n in $numbers; do signal "$n" "$1"; done
	for n in $numbers; do wait_gone "$n"; done
}

leader() {
	local n
	for n in $numbers; do
		! four_letters "$n" srvr | grep -qxE 'Mode: (leader|standalone)' || { echo "$n"; return; }
	done
	return 1
}

[ $# -ge 2 ] || usage
command=$1
case $command in
start)
	trap '[ -z "${dir:-}" ] || stop KILL; exit 143' INT TERM HUP
	start "$2" "${3:-1}" ;;
kill) use "$2"; known "$3"; signal "$3" "${4:-KILL}"; wait_gone "$3" ;;
restart)
	use "$2"
	known "$3"
	signal "$3" KILL
	wait_gone "$3"
	run "$3"
	wait_ready "$3" ;;
leader) use "$2"; leader ;;
stop) use "$2"; stop "${3:-TERM}" ;;
cli)
	use "$2"
	exec java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$(cat "$dir/jars")" \
		org.apache.zookeeper.ZooKeeperMain -server "$(cat "$dir/zk.servers")" "${@:3}" ;;
*) usage ;;
esac
