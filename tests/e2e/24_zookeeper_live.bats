#!/usr/bin/env bats
# A LiveSynchronization between ensembles: an ensemble of three, reached over TLS, is followed into a single server while every
# process is killed; both end equal, and what the commands say of it.
load lib
load resilog
load zookeeper

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    ZK_TLS=1 zk_start three 3
    zk_start there
    local tls=$E2E_DIR/three/tls
    declare_databases live three there
    { database three "three tls" client; database there there; } >"$E2E_DIR/live/databases.yaml"
    declare_secret live client "ca.crt=@$tls/ca.crt" "tls.crt=@$tls/client.crt" "tls.key=@$tls/client.key"
    declare_tree live LiveSynchronization mirror three there 'rootPath: /live' 'createRootPath: true'
    zk three create /live root
    live_start
}
setup() {
    e2e_setup
}
teardown() {
    last_words
}
teardown_file() {
    e2e_end
}

# What was deleted while somebody was away is found by a listing, and the guard would keep it.
live_start() {
    run_start live --allow-prune mirror
}
is_live() {
    status_is live mirror phase Live
}
there_is() { # PATH DATA
    [ "$(zk there get "$1")" = "$2" ]
}
gone_there() { # PATH
    run -1 zk there get "$1"
}
is_raised() {
    zk_same three there /live
}
# alone ENSEMBLE: its server 1 has no client but the one that asks.
alone() {
    local port
    port=$(zk_servers "$1" | sed 's/,.*//; s/.*://')
    timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf srvr >&3 && cat <&3' - "$port" | grep -qx 'Connections: 1'
}

@test "changes follow over TLS with a client certificate from a Secret" {
    wait_until 30 there_is /live root
    zk three create /live/a one
    wait_until 20 there_is /live/a one
    zk three set /live/a two
    zk three create /live/a/b x
    wait_until 20 there_is /live/a two
    wait_until 20 there_is /live/a/b x
    zk three delete /live/a/b
    zk three raise 5 /live/a
    wait_until 20 gone_there /live/a/b
    wait_until 20 is_raised
    wait_until 20 is_live
}

@test "log show tells the history of a node, with what changed" {
    run -0 log_show live /live/a
    [ "$(grep -c /live/a <<<"$output")" -ge 2 ]
    run -0 log_show live --patch /live/a
    [[ $output == *two* ]]
    "$RESILOG" log verify --data "$E2E_DIR/live.data"
}

@test "a leader that is killed, source and destination that are away, a session that expires, resilog killed: the trees end equal" {
    local leader other seed=${RESILOG_E2E_SEED:-$((EPOCHSECONDS % 100000 + 1))}
    echo "# seed $seed" >&3
    proc_start churn "$(zk_program)" -t 200 "$(zk_servers three)" churn 6000 /live "$seed" 250
    leader=$(zk_leader three)
    zk_kill three "$leader"
    zk_restart three "$leader"
    run_kill live
    live_start
    zk_kill there 1
    zk_restart there 1
    for other in 1 2; do zk_kill three $other; done # no majority is left
    for other in 1 2; do "$ZOOKEEPER/zk.sh" restart "$E2E_DIR/three" $other & done
    wait
    wait_until 30 is_live
    proc_signal live STOP
    wait_until 30 alone there # its session is over
    proc_signal live CONT
    wait_until 100 proc_gone churn
    rm -f "$E2E_DIR/procs/churn.pid"
    echo "# $(tail -n 1 "$E2E_DIR/churn.log")" >&3
    zk_kill three "$(zk_leader three)" # each session that is lost begins with a walk, which finds changed ACLs
    wait_zk_mended 60 live mirror three there /live --least 100 --ahead '^/live/c[0-9]+/'
    wait_until 30 is_live
    wait_until 30 status_is live mirror held 0
}

@test "what is held is told, and copied once that is mended" {
    held() { "$RESILOG" holds ls --data "$E2E_DIR/live.data" | grep -F /live/closed/below | grep -F no-auth; }
    run_kill live # so that it sees the ACL before it makes the child
    zk three create /live/closed x
    zk three create /live/closed/below x
    zk three setacl /live/closed r:world:anyone
    live_start
    wait_until 30 held
    zk_root there setacl /live/closed cdrwa:world:anyone
    "$RESILOG" holds retry --data "$E2E_DIR/live.data" mirror /live/closed/below
    wait_until 30 there_is /live/closed/below x
}

@test "it ends as it was asked to, and says nothing more than it should" {
    run_stop live
}
