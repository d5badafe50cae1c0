#!/usr/bin/env bats
# Two clusters that keep each other: edits on either side reach the other, and nothing goes round for ever. And whose
# checkpoint it is.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster
    for cluster in east west; do
        audit_flags $cluster
        kube_start $cluster
        unset API_FLAGS
        k $cluster create namespace app
    done
    declare_clusters pair east west
    declare_sync pair out east west <<<'- {version: v1, resource: configmaps, filters: {nameSelector: {excludeRegex: ["^kube-root"]}}}'
    declare_sync pair back west east <<<'- {version: v1, resource: configmaps, filters: {nameSelector: {excludeRegex: ["^kube-root"]}}}'
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

data_is() { # CLUSTER NAME JSON
    [ "$(k "$1" -n app get configmap "$2" -o 'jsonpath={.data}')" = "$3" ]
}
live() {
    status_is pair out phase Live && status_is pair back phase Live &&
        status_is pair out lagRecords 0 && status_is pair back lagRecords 0 &&
        status_is pair out waiting 0 && status_is pair back waiting 0
}
version() { # CLUSTER NAME
    k "$1" -n app get configmap "$2" -o 'jsonpath={.metadata.resourceVersion}'
}

@test "an edit on either side reaches the other" {
    k east -n app create configmap shop --from-literal=a=1
    k west -n app create configmap depot --from-literal=w=1
    run_start pair
    wait_until 30 live
    wait_until 30 data_is west shop '{"a":"1"}'
    wait_until 30 data_is east depot '{"w":"1"}'
    k east -n app patch configmap shop --type=merge -p '{"data":{"a":"2"}}'
    wait_until 30 data_is west shop '{"a":"2"}'
    k west -n app patch configmap shop --type=merge -p '{"data":{"b":"3"}}'
    wait_until 30 data_is east shop '{"a":"2","b":"3"}'
    k east -n app patch configmap depot --type=merge -p '{"data":{"w":"4"}}'
    wait_until 30 data_is west depot '{"w":"4"}'
}

@test "a member that a person takes away from the copy goes from the origin, too" {
    k west -n app patch configmap shop --type=merge -p '{"data":{"b":null}}'
    wait_until 120 data_is east shop '{"a":"2"}' # nothing shows that it was a person, so a write of ours is waited for
    data_is west shop '{"a":"2"}'
}

@test "edits of both sides in quick succession end equal, and nothing goes round" {
    local i before
    for i in $(seq 20); do
        k east -n app patch configmap shop --type=merge -p "{\"data\":{\"a\":\"e$i\"}}"
        k west -n app patch configmap depot --type=merge -p "{\"data\":{\"w\":\"w$i\"}}"
    done
    wait_until 60 live
    wait_until 60 data_is west shop '{"a":"e20"}'
    wait_until 60 data_is east depot '{"w":"w20"}'
    wait_until 60 live
    data_is east shop '{"a":"e20"}'
    data_is west depot '{"w":"w20"}'
    before="$(version east shop) $(version west shop) $(version east depot) $(version west depot)"
    k east -n app create configmap "last" --from-literal=x=y
    wait_until 30 data_is west last '{"x":"y"}'
    wait_until 60 live
    [ "$(version east shop) $(version west shop) $(version east depot) $(version west depot)" = "$before" ]
}

@test "edits of the copies in quick succession arrive, the last one too" {
    local i
    for i in $(seq 20); do
        k west -n app patch configmap shop --type=merge -p "{\"data\":{\"a\":\"w$i\"}}"
        k east -n app patch configmap depot --type=merge -p "{\"data\":{\"w\":\"e$i\"}}"
        sleep 0.$((i % 5)) # so that some meet a write under way
    done
    wait_until 120 data_is east shop '{"a":"w20"}'
    wait_until 120 data_is west depot '{"w":"e20"}'
    wait_until 120 live
    data_is west shop '{"a":"w20"}'
    data_is east depot '{"w":"e20"}'
}

@test "a deleted origin takes its copy along, and does not come back" {
    k east -n app delete configmap shop
    copy_is_gone() { [ "$(k west -n app get configmap shop --ignore-not-found -o name)" = "" ]; }
    wait_until 30 copy_is_gone
    wait_until 60 live
    [ "$(k east -n app get configmap shop --ignore-not-found -o name)" = "" ]
    run_stop pair
}

@test "a destination that was built anew under the old name is filled again" {
    mkdir "$E2E_DIR/pair.off" && mv "$E2E_DIR/pair/back.yaml" "$E2E_DIR/pair.off/"
    kube_stop west
    rm -rf "$E2E_DIR/west"
    kube_start west
    k west create namespace app
    run_start pair
    wait_until 60 data_is west last '{"x":"y"}'
    wait_until 30 status_is pair out phase Live
    says pair "the destination is another one"
    same east west --resource /v1/configmaps --namespaces app --least 2
}

@test "a log folder that was lost is read from its beginning, and the checkpoint beside it does not count" {
    run_stop pair
    rm -rf "$E2E_DIR/pair.data/logs"
    k east -n app create configmap after --from-literal=x=1
    run_start pair
    wait_until 60 data_is west after '{"x":"1"}'
    says pair "another log"
    run_stop pair
}
