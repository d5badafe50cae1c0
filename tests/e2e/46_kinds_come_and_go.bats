#!/usr/bin/env bats
# Kinds of the source that appear, vanish and change their version while resilog runs, and a group that cannot be reached: the
# other kinds go on, and what cannot be read is never taken for deleted.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster
    for cluster in source destination; do
        kube_start "$cluster"
        k "$cluster" create namespace kinds
    done
    serve destination widgets v1 v2
    serve destination gears v1 v2
    declare_clusters kinds source destination
    entries v1
    run_start kinds
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

entries() { # VERSION of widgets
    declare_sync kinds copy source destination <<-ENTRIES
	- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^c"]}}}
	- {group: widgets.example.com, version: $1, resource: widgets}
	- {group: gears.example.com, version: v1, resource: gears}
	ENTRIES
}
# serve CLUSTER PLURAL VERSION...: a kind in these versions; v1 is stored.
serve() {
    local version versions=
    for version in v1 v2; do
        versions+="{name: $version, served: $([[ " ${*:3} " == *" $version "* ]] && echo true || echo false), storage: $([ $version = v1 ] && echo true || echo false),
            schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}, "
    done
    k "$1" apply -f - <<-CRD
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: $2.$2.example.com}
	spec: {group: $2.example.com, scope: Namespaced, names: {plural: $2, singular: ${2%s}, kind: ${2^}}, versions: [$versions]}
	CRD
    k "$1" wait --for=condition=Established "crd/$2.$2.example.com" --timeout=20s
}
make() { # PLURAL VERSION NAME
    made() { k source create -f - <<<"{apiVersion: $1.example.com/$2, kind: ${1^}, metadata: {name: $3, namespace: kinds}, spec: {n: 1}}"; }
    wait_until 20 made "$@"
}
there() { # PLURAL NAME
    k destination -n kinds get "$1.$1.example.com" "$2"
}
gone() {
    ! there "$@"
}
others_go_on() { # NAME
    k source -n kinds create configmap "$1" --from-literal=a=1
    wait_until 30 k destination -n kinds get configmap "$1"
}

@test "a kind that the source does not serve is waited for, and copied as soon as it is there" {
    others_go_on c-missing
    wait_until 20 status_has kinds copy lastError '*does not serve it*'
    serve source widgets v1
    serve source gears v1
    make widgets v1 a
    make gears v1 a
    wait_until 30 there widgets a
    wait_until 30 there gears a
}

@test "a definition that is removed takes its objects along, the kind is waited for, and comes back" {
    k source delete crd widgets.widgets.example.com
    wait_until 40 gone widgets a
    there gears a
    others_go_on c-removed
    serve source widgets v1
    make widgets v1 b
    wait_until 60 there widgets b
}

@test "a version that is served no more deletes nothing, and the entry's new version goes on" {
    serve source widgets v2
    others_go_on c-version
    wait_until 60 status_has kinds copy lastError '*widgets*'
    there widgets b
    entries v2
    make widgets v2 c
    wait_until 60 there widgets c
    there widgets b
    k source -n kinds delete widgets.widgets.example.com b
    wait_until 30 gone widgets b
}

@test "a group that cannot be reached deletes nothing, the others go on, and it is followed again" {
    local api=v1.gears.example.com
    k source create service externalname nowhere --external-name=nowhere.invalid -n kinds
    k source label apiservice $api kube-aggregator.kubernetes.io/automanaged-
    k source patch apiservice $api --type=merge \
        -p '{"spec":{"service":{"name":"nowhere","namespace":"kinds"},"insecureSkipTLSVerify":true}}'
    unreachable() { ! k source -n kinds get gears.gears.example.com a; }
    wait_until 30 unreachable
    run_kill kinds # a start in which discovery finds the group stale
    run_start kinds
    others_go_on c-stale
    make widgets v2 d
    wait_until 30 there widgets d
    wait_until 20 status_has kinds copy lastError '*gears*'
    there gears a
    k source delete apiservice $api # made anew for the definition
    make gears v1 b
    wait_until 90 there gears b
    there gears a
    run_stop kinds
}
