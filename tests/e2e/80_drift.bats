#!/usr/bin/env bats
# What somebody changes in the destination is restored every resyncPeriod, and nothing else is written.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    audit_flags destination
    kube_start destination
    unset API_FLAGS
    local cluster
    for cluster in source destination; do
        k "$cluster" create namespace drift
    done
    declare_clusters drift source destination
    declare_sync drift copies source destination 'resyncPeriod: 2s' <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {nameSelector: {excludeRegex: ["^kube-root"]}}}
	- {group: apps, version: v1, resource: deployments}
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

data() { # CLUSTER NAME
    k "$1" -n drift get configmap "$2" -o 'jsonpath={.data}' 2>/dev/null
}
is() { # WANT COMMAND...
    [ "$("${@:2}")" = "$1" ]
}
repaired() {
    status drift copies repaired
}
rounds() { # a moment that has changed when another round has ended
    status drift copies lastResync
}
another_round() {
    local before
    before=$(rounds)
    other() { [ "$(rounds)" != "$before" ]; }
    wait_until 20 other
}
writes() {
    grep -F '"userAgent":"resilog' "$E2E_DIR/destination.audit" | grep -cE '"verb":"(create|update|patch|delete)"' || :
}

@test "copies that were changed or deleted in the destination are restored" {
    run_start drift
    k source -n drift create configmap a --from-literal=k=1
    k source -n drift create configmap b --from-literal=k=1
    k source -n drift create deployment web --image=registry.example.com/web:1 --replicas=3
    wait_until 30 is '{"k":"1"}' data destination b
    k destination -n drift patch configmap a --type=merge -p '{"data":{"k":"changed"}}'
    k destination -n drift delete configmap b
    k destination -n drift scale deployment web --replicas=7
    wait_until 30 is '{"k":"1"}' data destination a
    wait_until 30 is '{"k":"1"}' data destination b
    scaled() { k destination -n drift get deployment web -o 'jsonpath={.spec.replicas}'; }
    wait_until 30 is 3 scaled
    another_round
    [ "$(repaired)" = 3 ]
    says drift '"name":"b","namespace":"drift"'
}

@test "what the destination added stays, and a round without changes writes nothing" {
    k destination -n drift patch configmap a --type=merge -p '{"data":{"own":"x"}}'
    another_round
    another_round
    local before version
    before=$(writes)
    version=$(k destination -n drift get configmap a -o 'jsonpath={.metadata.resourceVersion}')
    another_round
    another_round
    [ "$(writes)" = "$before" ]
    [ "$(k destination -n drift get configmap a -o 'jsonpath={.metadata.resourceVersion}')" = "$version" ]
    is '{"k":"1","own":"x"}' data destination a
    [ "$(repaired)" = 3 ]
    run_stop drift
}
