#!/usr/bin/env bats
# Several synchronizations on one source, and many kinds.
load lib
load resilog

CRDS=300

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    audit_flags source
    kube_start source
    unset API_FLAGS
    kube_start near
    kube_start far
    local cluster
    for cluster in source near far; do
        k "$cluster" create namespace fan
    done
    declare_clusters fan source near far
    declare_sync fan maps source near <<<'- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^churn"]}}}'
    declare_sync fan secrets source near <<<'- {version: v1, resource: secrets, filters: {nameSelector: {regex: ["^churn"]}}}'
    declare_sync fan both source far <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^churn"]}}}
	- {version: v1, resource: secrets, filters: {nameSelector: {regex: ["^churn"]}}}
	ENTRIES
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

churn() { # SEED
    "$ROOT/tests/e2e/churn.py" "$(kube_config source)" fan "$1" /nonexistent --most 300 --pause 0
}
near_equal() {
    wait_same 30 source near --resource /v1/configmaps /v1/secrets --namespaces fan --least 30
}
far_equal() {
    wait_same 60 source far --resource /v1/configmaps /v1/secrets --namespaces fan --least 30
}

@test "three synchronizations share one producer and one log" {
    churn 1
    run_start fan
    near_equal
    far_equal
    [ "$(ls "$E2E_DIR/fan.data/logs" | wc -l)" = 1 ]
    [ "$(ls "$E2E_DIR/fan.data/consumers" | grep -c '\.mdb$')" = 3 ]
    # One list and one watch of each kind serve all three.
    [ "$(grep -F '"userAgent":"resilog' "$E2E_DIR/source.audit" | grep -F '"verb":"list"' | grep -c '/api/v1/configmaps?')" = 1 ]
    [ "$(grep -F '"userAgent":"resilog' "$E2E_DIR/source.audit" | grep -F '"stage":"ResponseStarted"' |
        grep -F '"verb":"watch"' | grep -c '/api/v1/configmaps?')" = 1 ]
}

@test "a destination that is down delays nobody else and catches up later" {
    kube_kill far apiserver
    churn 2
    near_equal
    churn 3
    near_equal
    wait_until 30 status_is fan both phase Waiting
    wait_until 30 status_is fan maps phase Live
    wait_until 30 status_is fan maps lagRecords 0
    wait_until 30 status_is fan secrets lagRecords 0
    [ "$(status fan both lagRecords)" -gt 0 ]
    [ -n "$(status fan both lastError)" ]
    [ -z "$(status fan maps lastError)" ]
    kube_restart far apiserver
    far_equal
    near_equal
    wait_until 30 status_is fan both phase Live
    wait_until 30 status_is fan both lagRecords 0
}

@test "a destination that is down at the start delays nobody else either" {
    run_stop fan
    kube_kill far apiserver
    churn 4
    run_start fan
    near_equal
    kube_restart far apiserver
    far_equal
    run_stop fan
}

definitions() {
    local i
    for i in $(seq $CRDS); do
        printf 'POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions {"metadata":{"name":"kind%ds.example.com"},"spec":{"group":"example.com","scope":"Namespaced",' "$i"
        printf '"names":{"plural":"kind%ds","kind":"Kind%d"},"versions":[{"name":"v1","served":true,"storage":true,' "$i" "$i"
        echo '"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}'
    done
}
established() {
    [ "$(k source get crd -o 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Established")].status}{"\n"}{end}' | grep -c True)" -ge $CRDS ]
}
instances() { # METHOD BODY [NAME]: a request for each of the kinds
    local i
    for i in $(seq $CRDS); do
        printf '%s /apis/example.com/v1/namespaces/fan/kind%ds%s {"apiVersion":"example.com/v1","kind":"Kind%d",%s\n' "$1" "$i" "${3:-}" "$i" "$2"
    done
}
send() {
    "$ROOT/tests/e2e/send.py" "$(kube_config source)"
}

@test "$CRDS kinds of custom resources are copied and watched, with their definitions" {
    local kinds i
    kinds=apiextensions.k8s.io/v1/customresourcedefinitions
        definitions | send
    wait_until 60 established
    declare_clusters many source near
    kinds="$kinds $(seq -f 'example.com/v1/kind%.0fs' $CRDS | tr '\n' ' ')"
    {
        echo '- {group: apiextensions.k8s.io, version: v1, resource: customresourcedefinitions}'
        seq -f '- {group: example.com, version: v1, resource: kind%.0fs}' $CRDS
    } | declare_sync many manifold source near
        run_start many
    instances POST '"metadata":{"name":"only"},"spec":{"value":1}}' | send
        wait_until 120 status_is many manifold phase Live
    wait_same 120 source near --resource $kinds --least $((2 * CRDS))
        instances PATCH '"spec":{"value":2}}' /only | send
    wait_same 60 source near --resource $kinds --least $((2 * CRDS))
        run_stop many
}
