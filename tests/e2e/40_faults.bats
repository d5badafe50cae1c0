#!/usr/bin/env bats
# Whatever is killed, lost or compacted, both clusters end equal.
# also under sanitizers
load lib
load resilog

KINDS="/v1/configmaps /v1/secrets"
KILLS=20

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    audit_flags destination
    kube_start destination
    unset API_FLAGS
    local cluster
    for cluster in source destination; do
        k "$cluster" create namespace churn
    done
    declare_clusters faults source destination
    declare_sync faults faulty source destination <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: churn}}}}
	- {version: v1, resource: secrets, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: churn}}}}
	ENTRIES
}
setup() {
    e2e_setup
    SEED=${RESILOG_E2E_SEED:-$((EPOCHSECONDS % 100000))}
    RANDOM=$SEED
}
teardown() {
    last_words
}
teardown_file() {
    e2e_end
}

churn_start() { # [OPTION...]
    rm -f "$E2E_DIR/churn.stop"
    proc_start churn "$ROOT/tests/e2e/churn.py" "$(kube_config source)" churn "$SEED" "$E2E_DIR/churn.stop" "$@"
}
churn_stop() {
    touch "$E2E_DIR/churn.stop"
    churn_end
}
churn_end() { # of one that was started with --most
    wait_until 60 proc_gone churn
    rm -f "$E2E_DIR/procs/churn.pid"
    tail -n 1 "$E2E_DIR/churn.log" | grep -E 'POST [1-9].*PUT [1-9].*DELETE [1-9]'
}
equal() { # [LEAST]
    wait_same 60 source destination --resource $KINDS --namespaces churn --least "${1:-1}"
}
make() { # NUMBER PREFIX: so many ConfigMaps
    local i
    for i in $(seq "$1"); do
        printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s-%d, namespace: churn}\ndata: {a: "%d"}\n' "$2" "$i" "$i"
    done | k source create -f - >/dev/null
}
unmake() { # NUMBER PREFIX
    k source -n churn delete configmap $(seq -f "$2-%.0f" "$1") --wait=false >/dev/null
}
count() { # CLUSTER PREFIX
    k "$1" -n churn get configmaps -o name | grep -c "/$2-" || :
}
# A watch from before answers 410 afterwards.
forget_history() {
    kube_compact source
    kube_restart source apiserver
}
verified() {
    "$RESILOG" log verify --data "$E2E_DIR/faults.data"
}
live() {
    wait_until 60 status_is faults faulty phase Live
}

@test "kill -9 at random moments under churn loses nothing" {
    echo "# seed $SEED (RESILOG_E2E_SEED=$SEED replays the moments)" >&3
    churn_start
    local i
    for i in $(seq $KILLS); do
        run_start faults
        sleep "$(printf '%d.%03d' $((RANDOM % 2)) $((RANDOM % 1000)))" # the random moment itself: nothing is waited for
        run_kill faults
    done
    verified
    run_start faults
    churn_stop
    equal
    verified
    clean_output faults
}

@test "what was killed is shown as stopped" {
    run_kill faults
    wait_until 40 status_is faults faulty phase Stopped
    [ "$(status faults faulty lagSeconds)" = null ]
    run_start faults
    live
    [ "$(status faults faulty lagSeconds)" != null ]
}

@test "the source's API server is killed under churn and comes back" {
    churn_start
    live
    kube_kill source apiserver
    waiting() { status_has faults faulty lastError '?*'; }
    wait_until 30 waiting
    [ "$(status faults faulty phase)" != Live ]
    kube_restart source apiserver
    churn_stop
    equal
    live
}

@test "the destination's API server is killed under churn and comes back" {
    churn_start
    live
    kube_kill destination apiserver
    waiting() { status_is faults faulty phase Waiting; }
    wait_until 30 waiting
    [ -n "$(status faults faulty lastError)" ]
    churn_stop
    kube_restart destination apiserver
    equal
    live
    [ "$(status faults faulty lastError)" = "" ]
}

@test "the source's etcd is killed and comes back" {
    churn_start --most 300
    kube_kill source etcd
    kube_restart source etcd
    churn_end
    kube_restart source apiserver
    equal
}

@test "deletes while resilog is down are carried out at the next start" {
    make 5 down
    equal 5
    run_stop faults
    unmake 4 down
    make 2 up
    run_start faults
    equal 3
    [ "$(count destination down)" = 1 ]
}

@test "a compacted history is a gap in the log, and both clusters are equal afterwards" {
    make 30 gap
    equal 30
    run_stop faults
    local head
    head=$(status faults faulty head)
    unmake 6 gap
    make 3 after
    forget_history
    run_start faults
    equal 24
    [ "$(count destination gap)" = 24 ]
    log_show faults --op gap --since "offset:$head" -o json >"$E2E_DIR/gaps.json"
    [ "$(json 'len(d) > 0 and all(e["op"] == "gap" for e in d)' <"$E2E_DIR/gaps.json")" = true ]
    says faults "the log has a gap"
}

@test "D53 a history that is compacted while resilog is watching is mended, too" {
    churn_start --most 200
    forget_history
    churn_end
    make 1 watching
    equal 20
}

@test "after a lost data folder the own copies are recognised: nothing is written that is equal, and what is gone is deleted" {
    equal 20
    run_stop faults
    local before
    before=$(requests destination 'create|update|patch|delete')
    rm -rf "$E2E_DIR/faults.data"
    unmake 3 after
    k source -n churn patch configmap gap-9 --type=merge -p '{"data":{"a":"changed"}}'
    run_start faults
    equal 20
    [ "$(count destination after)" = 0 ]
    [ "$(requests destination create)" -gt 0 ]
    [ "$(requests destination 'create|update|patch|delete')" -le $((before + 4)) ]
}

@test "what the source took away while the data folder was lost goes from the copy, too" {
    k source -n churn patch configmap gap-8 --type=merge -p '{"data":{"late":"x"}}'
    equal 20
    run_stop faults
    rm -rf "$E2E_DIR/faults.data"
    k destination -n churn patch configmap gap-8 --type=merge -p '{"data":{"own":"y"}}'
    k source -n churn patch configmap gap-8 --type=merge -p '{"data":{"late":null}}'
    run_start faults
    gone() { [ "$(k destination -n churn get configmap gap-8 -o 'jsonpath={.data}')" = '{"a":"8","own":"y"}' ]; }
    wait_until 30 gone
    k destination -n churn patch configmap gap-8 --type=merge -p '{"data":{"own":null}}'
    equal 20
}

@test "many deletes that nobody saw are held until they are approved" {
    make 40 prune
    equal 40
    run_stop faults
    unmake 35 prune
    forget_history
    run_start faults
    wait_until 60 status_is faults faulty pruneHeld 35
    [ "$(count destination prune)" = 40 ]
    [[ $(status faults faulty lastError) == *--allow-prune* ]]
    make 1 beside
    arrived() { [ "$(count destination beside)" = 1 ]; }
    wait_until 30 arrived
    [ "$(count destination prune)" = 40 ]
    run_stop faults
    run_start faults
    wait_until 60 status_is faults faulty pruneHeld 35
    [ "$(count destination prune)" = 40 ]
    run_stop faults
    run_start faults --allow-prune faulty
    equal 5
    [ "$(count destination prune)" = 5 ]
    wait_until 30 status_is faults faulty pruneHeld 0
    run_stop faults
}
