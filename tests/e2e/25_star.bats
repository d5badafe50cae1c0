#!/usr/bin/env bats
# `*`: what it takes and what it leaves, what is excluded, kinds and versions that come while resilog runs.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    audit_flags source
    kube_start source
    audit_flags destination
    kube_start destination
    declare_clusters star source destination
    declare_sync star all source destination 'effects: allow' <<-'ENTRIES'
	- {group: "*", version: "*", resource: "*"}
	- resource: configmaps
	  filters: {nameSelector: {excludeRegex: ["^kube-root"]}}
	  transformation: {patch: [{op: add, path: /data/patched, value: "yes"}]}
	excludeResources:
	- {group: rbac.authorization.k8s.io, resource: "*"}
	- {resource: limitranges}
	- {group: "*", resource: "*", filters: {nameSelector: {regex: [^tmp-]}}}
	ENTRIES
    sed -i 's/^        excludeResources/      excludeResources/' "$E2E_DIR/star/all.yaml"
    k source create namespace star
    manifest | k source -n star apply -f -
    run_start star
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

manifest() { # what is taken first, then what is left
    cat <<-'OBJECTS'
	{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: "1"}}
	---
	{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: "1"}}
	---
	{apiVersion: v1, kind: Secret, metadata: {name: tmp-a}}
	---
	{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: c}]}}}}
	---
	{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}
	---
	{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}}
	---
	{apiVersion: v1, kind: Endpoints, metadata: {name: a}}
	---
	{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {holderIdentity: x}}
	---
	{apiVersion: v1, kind: Event, metadata: {name: a}, involvedObject: {namespace: star, name: a, kind: Pod}}
	---
	{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: []}}
	---
	{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: []}
	OBJECTS
}
gadgets() { # VERSION...: their definition, the first version stored
    local version first=true
    {
        echo '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: gadgets.example.com},'
        echo 'spec: {group: example.com, scope: Namespaced, names: {plural: gadgets, singular: gadget, kind: Gadget}, versions: ['
        for version; do
            echo "{name: $version, served: true, storage: $first, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}},"
            first=false
        done
        echo ']}}'
    } | k source apply -f -
}
gadget() { # NAME VERSION
    k source apply -f - <<<"{apiVersion: example.com/$2, kind: Gadget, metadata: {name: $1, namespace: star}, spec: {n: 1}}"
}
there() { # KIND
    k destination -n star get "$1" "${2:-a}"
}
logged() { # VERSION: the newest state of the gadget in the log
    [ "$(log_show star --tail 1 -o jsonl -n star gadget/one | json "d['object']['apiVersion']")" = "$1" ]
}

@test "a star takes what the table lets it take, and nothing that it leaves or that is excluded" {
    local kind
    for kind in configmap secret deployment horizontalpodautoscaler; do
        wait_until 40 there "$kind"
    done
    wait_until 20 status_is star all phase Live
    wait_until 20 status_is star all lagRecords 0
    for kind in job endpoints lease event limitrange role; do
        k source -n star get "$kind" a
        run there "$kind"
        [ "$status" -ne 0 ]
    done
    run there secret tmp-a
    [ "$status" -ne 0 ]
    run log_show star -o json
    [[ $output == *'apps/deployments/star/a'* && $output == *'/secrets/star/tmp-a'* ]]
    [[ $output != *'/limitranges/star/a'* && $output != *'batch/jobs/star/a'* && $output != *leases/star/a* ]]
    [ "$(status star all held)" = 0 ]
}

@test "the entry that names a kind by itself wins over the star" {
    [ "$(k destination -n star get configmap a -o 'jsonpath={.data.patched}')" = yes ]
    [ -z "$(k destination -n star get secret a -o 'jsonpath={.data.patched}')" ]
    ! k destination -n star get configmap kube-root-ca.crt
}

@test "a kind that is defined while resilog runs joins by itself, in the version that the source prefers" {
    gadgets v1beta1
    wait_until 20 gadget one v1beta1
    wait_until 60 there gadget one
    wait_until 20 logged example.com/v1beta1
    gadgets v1beta1 v1
    wait_until 60 logged example.com/v1
    gadget two v1
    wait_until 60 there gadget two
    wait_until 20 status_is star all phase Live
}

@test "a second start with the same kinds lists nothing of the source and writes nothing" {
    run_stop star
    local lists writes reviews
    lists=$(listings source)
    writes=$(written destination | wc -l)
    reviews=$(grep -c 'decided again' "$E2E_DIR/star.log")
    run_start star
    k source -n star create configmap restarted --from-literal=k=1
    wait_until 60 there configmap restarted
    wait_until 20 status_is star all phase Live
    [ "$(listings source)" = "$lists" ]
    [ "$(written destination | wc -l)" = "$((writes + 1))" ]
    [ "$(grep -c 'decided again' "$E2E_DIR/star.log")" = "$reviews" ]
}

@test "a kind whose definition is removed ends: its copies go, the rest goes on" {
    k source delete crd gadgets.example.com --wait=true --timeout=60s
    gone() { ! there "$@"; }
    wait_until 60 gone gadget one
    wait_until 60 gone gadget two
    k source -n star create configmap later --from-literal=k=1
    wait_until 30 there configmap later
    wait_until 60 status_is star all phase Live
    run_stop star
}
