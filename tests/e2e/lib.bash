# What the bats tests share: clusters, processes, waiting, cleaning up. Each file does:
#     load lib
#     setup_file() { e2e_begin; kube_start source; }
#     teardown_file() { e2e_end; }
# Everything lives in $E2E_DIR. A process is named when it is started and is known by pid and start time, so that a number that
# was given to a stranger since is never signalled.

bats_require_minimum_version 1.5.0 2>/dev/null || : # the sweep of tests/run.sh loads this file without bats

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KUBE=$ROOT/tests/servers/kube
ZOOKEEPER=$ROOT/tests/servers/zookeeper
: "${RESILOG:=$ROOT/build/dev/cli/resilog}"

# e2e_folder: $E2E_DIR, and a guard that ends everything in it should this test file be killed before its teardown.
e2e_folder() {
    export E2E_DIR E2E_SKIP=
    E2E_DIR=$(mktemp -d "${TMPDIR:-/tmp}/resilog-e2e.XXXXXX")
    mkdir "$E2E_DIR/procs"
    setsid bash -c '. "$1" && e2e_guard "$2" "$3"' guard "$ROOT/tests/e2e/lib.bash" $$ "$E2E_DIR" \
        </dev/null >/dev/null 2>&1 3>&- 4>&- &
    disown $!
}
e2e_guard() { # PID DIR
    local start
    start=$(start_time_of "$1")
    while [ -d "$2" ] && [ "$(start_time_of "$1")" = "$start" ]; do sleep 0.5; done
    [ ! -d "$2" ] || { e2e_sweep "$2"; rm -rf "$2"; }
}

# e2e_begin [NAME...]: a folder for this file, and the named programs of tests/servers/kube (all but the controllers by default).
e2e_begin() {
    [ $# -gt 0 ] || set -- etcd kube-apiserver kubectl
    e2e_folder
    local rc=0
    "$KUBE/programs.sh" get "$@" >&2 || rc=$?
    e2e_missing "$rc" "one of $* is not on this machine: run tests/servers/kube/programs.sh get"
}
# zk_begin: the same for a file that needs ZooKeeper alone, in Debian's version.
zk_begin() {
    e2e_folder
    local rc=0
    "$ZOOKEEPER/jars.sh" get debian >&2 || rc=$?
    e2e_missing "$rc" "ZooKeeper is not on this machine: run tests/servers/zookeeper/jars.sh get debian"
}
e2e_missing() { # EXIT-CODE-OF-GET TEXT
    [ "$1" -eq 0 ] && return
    [ "$1" -eq 3 ] && [ "${RESILOG_TEST_ALL:-}" != 1 ] || return "$1"
    E2E_SKIP=$2
}

# e2e_setup: call it in setup(); skips the test where the servers cannot be had.
e2e_setup() {
    [ -z "$E2E_SKIP" ] || skip "$E2E_SKIP"
}

# e2e_end: ends every process and cluster of this file; fails if one is still there, or if resilog told a secret (resilog.bash).
# RESILOG_TEST_KEEP=1 keeps the folder.
e2e_end() {
    local failed=0
    e2e_sweep "$E2E_DIR" || return 1
    ! declare -F nothing_secret >/dev/null || nothing_secret || failed=1
    if [ "${RESILOG_TEST_KEEP:-}" = 1 ]; then echo "# kept: $E2E_DIR" >&3; else rm -rf "$E2E_DIR"; fi
    return $failed
}

# e2e_sweep DIR: ends what was started below DIR, however deep, also after a crash of the test.
e2e_sweep() {
    local file left=0
    while read -r file; do
        E2E_DIR=$(dirname "$(dirname "$file")") proc_stop "$(basename "$file" .pid)" KILL || left=1
    done < <(find "$1" -path '*/procs/*.pid' 2>/dev/null)
    while read -r file; do
        "$KUBE/kube.sh" stop "$(dirname "$file")" KILL || left=1
    done < <(find "$1" -name etcd.url 2>/dev/null)
    while read -r file; do
        "$ZOOKEEPER/zk.sh" stop "$(dirname "$file")" KILL || left=1
    done < <(find "$1" -name zk.servers 2>/dev/null)
    return $left
}

# wait_until SECONDS COMMAND...: until the command succeeds; says what it waited for when it does not.
wait_until() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) seconds=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || {
            echo "not within $seconds s: $*" >&2
            return 1
        }
        sleep 0.05
    done
}

# kube_start NAME [controllers]: a cluster, ready in 3 to 4 seconds.
kube_start() {
    "$KUBE/kube.sh" start "$E2E_DIR/$1" "${@:2}"
}
# kube_restart NAME etcd|apiserver|controllers, kube_kill NAME PART [SIGNAL], kube_compact NAME, kube_stop NAME [SIGNAL]
kube_restart() {
    "$KUBE/kube.sh" restart "$E2E_DIR/$1" "$2"
}
kube_kill() {
    "$KUBE/kube.sh" kill "$E2E_DIR/$1" "${@:2}"
}
kube_compact() {
    "$KUBE/kube.sh" compact "$E2E_DIR/$1"
}
kube_stop() {
    "$KUBE/kube.sh" stop "$E2E_DIR/$1" "${2:-TERM}"
}
# kube_config NAME: the path of its kubeconfig.
kube_config() {
    echo "$E2E_DIR/$1/kubeconfig"
}
# k NAME ARGUMENT...: kubectl for that cluster.
k() {
    [ -n "${E2E_KUBECTL:-}" ] || export E2E_KUBECTL=$("$KUBE/programs.sh" find kubectl)
    "$E2E_KUBECTL" --kubeconfig "$(kube_config "$1")" --cache-dir "$E2E_DIR/kubectl-cache" "${@:2}"
}

# zk_start NAME [3]: a server, ready in a second, or an ensemble of three. Environment: zk.sh.
zk_start() {
    "$ZOOKEEPER/zk.sh" start "$E2E_DIR/$1" "${@:2}"
}
# zk_restart NAME N, zk_kill NAME N [SIGNAL], zk_leader NAME, zk_stop NAME [SIGNAL]
zk_restart() {
    "$ZOOKEEPER/zk.sh" restart "$E2E_DIR/$1" "$2"
}
zk_kill() {
    "$ZOOKEEPER/zk.sh" kill "$E2E_DIR/$1" "${@:2}"
}
zk_leader() {
    "$ZOOKEEPER/zk.sh" leader "$E2E_DIR/$1"
}
zk_stop() {
    "$ZOOKEEPER/zk.sh" stop "$E2E_DIR/$1" "${2:-TERM}"
}
# zk_servers NAME: where its servers are, HOST:PORT,...; zk_servers_tls NAME: their ports with TLS.
zk_servers() {
    cat "$E2E_DIR/$1/zk.servers"
}
zk_servers_tls() {
    cat "$E2E_DIR/$1/zk.servers.tls"
}
# zk_tool OPTION... SERVERS COMMAND...: tests/e2e/zk_tool.c; zk NAME COMMAND...: the same for those servers, without options.
zk_program() {
    echo "$(dirname "$RESILOG")/../tests/e2e/zk_tool"
}
zk_tool() {
    "$(zk_program)" "$@"
}
zk() {
    zk_tool "$(zk_servers "$1")" "${@:2}"
}

start_time_of() { # PID; the name in the second field may hold blanks
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}

# proc_start NAME COMMAND...: in the background, output to $E2E_DIR/NAME.log (appended).
proc_start() {
    local name=$1 pid
    shift
    ! proc_alive "$name" || { echo "$name runs already" >&2; return 1; }
    setsid "$@" </dev/null >>"$E2E_DIR/$name.log" 2>&1 3>&- 4>&- &
    pid=$!
    echo "$pid $(start_time_of "$pid")" >"$E2E_DIR/procs/$name.pid"
    disown "$pid"
}
proc_alive() { # NAME
    local pid start
    [ -e "$E2E_DIR/procs/$1.pid" ] || return 1
    read -r pid start <"$E2E_DIR/procs/$1.pid"
    [ -n "$start" ] && [ "$(start_time_of "$pid")" = "$start" ]
}
proc_pid() { # NAME
    cut -d' ' -f1 "$E2E_DIR/procs/$1.pid"
}
# proc_signal NAME SIGNAL: false if it is gone.
proc_signal() {
    proc_alive "$1" && kill -s "$2" "$(proc_pid "$1")"
}
proc_gone() {
    ! proc_alive "$1"
}
# proc_stop NAME [SIGNAL [SECONDS]]: signals and waits until it is gone; killed, with a failure, if it does not go.
proc_stop() {
    proc_signal "$1" "${2:-TERM}" || :
    wait_until "${3:-15}" proc_gone "$1" || {
        proc_signal "$1" KILL || :
        return 1
    }
    rm -f "$E2E_DIR/procs/$1.pid"
}
