#!/usr/bin/env bats
# A source whose past was changed: its etcd restored from a backup, another cluster behind its address.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster
    for cluster in source destination; do
        kube_start "$cluster"
        k "$cluster" create namespace kept
    done
    put old 1
    put changed 0
    stop_source
    cp -r "$E2E_DIR/source/etcd" "$E2E_DIR/backup"
    start_source
    declare_clusters restored source destination
    declare_sync restored copy source destination <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kept}}}}
	- {version: v1, resource: secrets, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kept}}}}
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

put() { # NAME VALUE
    k source -n kept create configmap "$1" --from-literal="v=$2" --dry-run=client -o yaml | k source apply -f - >/dev/null
}
equal() {
    wait_same 60 source destination --resource /v1/configmaps /v1/secrets --namespaces kept --least "${1:-1}"
}
stop_source() {
    kube_kill source apiserver
    kube_kill source etcd
}
start_source() {
    kube_restart source etcd
    kube_restart source apiserver
}
restore() {
    stop_source
    rm -rf "$E2E_DIR/source/etcd"
    cp -r "$E2E_DIR/backup" "$E2E_DIR/source/etcd"
    start_source
}
incarnation() {
    log_show restored --op epoch -o json | json 'max(e["incarnation"] for e in d)'
}
# What the backup does not know: 12 versions of two objects, and one object less.
go_on() {
    local i
    for i in 1 2 3 4 5 6; do
        put "later-$1" "$i"
        put changed "$1-$i"
    done
    k source -n kept delete configmap old >/dev/null
}

@test "an etcd that is restored while resilog runs is a new incarnation, and both clusters are equal afterwards" {
    run_start restored
    equal 2
    go_on a
    equal 2
    [ "$(incarnation)" = 1 ]
    restore
    put after 1 # below the version that was followed: a watch from there would say nothing of it
    equal 3
    [ "$(k destination -n kept get configmap changed -o 'jsonpath={.data.v}')" = 0 ]
    run -1 k destination -n kept get configmap later-a
    [ "$(incarnation)" = 2 ]
    says restored "went backwards"
}

@test "an etcd that was restored while resilog was down is a new incarnation, too" {
    go_on b
    equal 3
    run_stop restored
    restore
    put after 2
    run_start restored
    equal 3
    [ "$(k destination -n kept get configmap changed -o 'jsonpath={.data.v}')" = 0 ]
    [ "$(k destination -n kept get configmap after -o 'jsonpath={.data.v}')" = 2 ]
    [ "$(incarnation)" = 3 ]
    put after 3
    equal 3
    [ "$(incarnation)" = 3 ]
}

# point_at CLUSTER: what `source` of the resources is from now on.
point_at() {
    cp "$(kube_config "$1")" "$E2E_DIR/source/kubeconfig"
}
owner() {
    k destination -n kept get configmap "$1" -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}'
}

@test "another cluster at the source's address is refused and nothing of it is read, and the message says how to accept it" {
    kube_start other
    k other create namespace kept
    k other -n kept create configmap old --from-literal=v=other
    k other -n kept create configmap its-own --from-literal=v=other
    run_stop restored
    point_at other
    run_start restored
    wait_until 30 says restored 'run --accept-source default/source'
    wait_until 10 status_has restored copy lastError '*--accept-source*'
    [ "$(k destination -n kept get configmap old -o 'jsonpath={.data.v}')" = 1 ]
    [ "$(incarnation)" = 3 ]
    run_stop restored
}

@test "a cluster that was accepted takes the place of the one before it, and its copies are the synchronization's own" {
    local before
    before=$(owner old)
    run_start restored --accept-source source
    wait_until 60 k destination -n kept get configmap its-own
    wait_same 60 other destination --resource /v1/configmaps --namespaces kept --least 2
    [ "$(k destination -n kept get configmap old -o 'jsonpath={.data.v}')" = other ]
    run -1 k destination -n kept get configmap changed
    [ "$(owner old | cut -d' ' -f3)" = "$(owner its-own | cut -d' ' -f3)" ]
    [ "$(owner old)" != "$before" ]
    [ "$(incarnation)" = 4 ]
    [ "$(status restored copy held)" = 0 ]
    run_stop restored
    run_start restored # what was accepted once is the source
    k other -n kept create configmap late --from-literal=v=1
    wait_until 60 k destination -n kept get configmap late
    run_stop restored
}
