#!/usr/bin/env bats
# What an entry says: writeMode: apply, and the way from one mode to the other (docs/adr/0011); adopt: always, by either, and
# what it keeps before (docs/adr/0012); effects, and what admission objects wait for; kinds that must be named.
load lib
load resilog

setup_file() {
    e2e_begin etcd kube-apiserver kubectl
    [ -z "$E2E_SKIP" ] || return 0
    local rare="--feature-gates=ClusterTrustBundle=true,DRADeviceTaints=true,DRADeviceTaintRules=true"
    rare+=" --runtime-config=certificates.k8s.io/v1beta1=true,resource.k8s.io/v1alpha3=true"
    API_FLAGS=$rare kube_start source
    audit_flags destination
    API_FLAGS+=" $rare" kube_start destination
    declare_clusters apply source destination
    mode apply
    src create namespace shop
    dst create namespace shop
    src -n shop create configmap settings --from-literal=kept=1 --from-literal=gone=1
    src apply -f - <<<"$(deployment web '[{name: web, image: "web:1"}]')"
    src apply -f - <<<"$(deployment twice '[{name: web, image: "web:1", env: [{name: A, value: "1"}, {name: A, value: "2"}]}]')"
    run_start apply
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

mode() { # merge|apply; the copies bear it as a label
    local patch="transformation: {patch: [{op: add, path: /metadata/labels, value: {mode: $1}}]}"
    declare_sync apply applying source destination "effects: allow" <<-ENTRIES
	- {version: v1, resource: configmaps, writeMode: $1, $patch, filters: {nameSelector: {excludeRegex: [kube-root-ca]}}}
	- {group: apps, version: v1, resource: deployments, writeMode: $1, $patch}
	ENTRIES
}
deployment() { # NAME CONTAINERS
    cat <<-OBJECT
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: $1, namespace: shop}
	spec:
	  replicas: 2
	  selector: {matchLabels: {app: $1}}
	  template: {metadata: {labels: {app: $1}}, spec: {containers: $2}}
	OBJECT
}
src() { k source "$@"; }
dst() { k destination "$@"; }
dst_is() { # EXPECTED JSONPATH WHAT...
    [ "$(dst -n shop get "${@:3}" -o "jsonpath=$2")" = "$1" ]
}
is_gone() { ! dst -n shop get "$@" >/dev/null 2>&1; }
operations_are() { # EXPECTED WHAT...: by which operations resilog owns members
    [ "$(dst -n shop get "${@:2}" --show-managed-fields -o json |
        json '[f["operation"] for f in d["metadata"]["managedFields"] if f["manager"] == "resilog"]')" = "$1" ]
}
set_key() { # KEY VALUE
    src -n shop patch configmap settings --type=merge -p "{\"data\":{\"$1\":$2}}"
}

@test "what was created goes over to applies with its first change, and what the source takes away goes" {
    wait_until 30 dst_is 1 '{.data.gone}' configmap settings
    operations_are '["Update"]' configmap settings
    dst -n shop patch configmap settings --type=merge --field-manager=theirs -p '{"data":{"theirs":"1"}}'
    set_key gone null
    wait_until 30 dst_is '{"kept":"1","theirs":"1"}' '{.data}' configmap settings
    operations_are '["Apply"]' configmap settings
    [[ $(dst -n shop get configmap settings -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}') == v1*settings ]]
    set_key kept '"2"'
    wait_until 30 dst_is '{"kept":"2","theirs":"1"}' '{.data}' configmap settings
    operations_are '["Apply"]' configmap settings
}

@test "elements that others add to a list stay, which a merge would take for one" {
    dst -n shop patch deployment web --type=strategic --field-manager=injector \
        -p '{"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"proxy:1"}]}}}}'
    src -n shop patch deployment web --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"web:2"}]'
    wait_until 30 dst_is "proxy:1 web:2" '{.spec.template.spec.containers[?(@.name=="sidecar")].image} {.spec.template.spec.containers[?(@.name=="web")].image}' deployment web
}

@test "applied again nothing is written" {
    wait_until 30 status_is apply applying lagRecords 0
    local before web
    others() { written destination | grep -v '/deployments/web$'; }
    web=$(dst -n shop get deployment web -o 'jsonpath={.metadata.resourceVersion}')
    before=$(others)
    run_stop apply
    rm -r "$E2E_DIR/apply.data" # so that every object is looked at
    run_start apply
    wait_until 30 status_is apply applying phase Live
    wait_until 30 status_is apply applying lagRecords 0
    set_key last '"1"'
    wait_until 30 dst_is 1 '{.data.last}' configmap settings
    diff <(echo "$before"; echo "patch /api/v1/namespaces/shop/configmaps/settings") <(others)
    dst_is "$web" '{.metadata.resourceVersion}' deployment web # of a joined list only the server can tell; nothing is stored
}

@test "what an apply does not take is held with its way out, and goes on by a merge" {
    wait_until 30 status_is apply applying held 0
    src -n shop scale deployment twice --replicas=3
    wait_until 30 status_is apply applying held 1
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/apply.data" -o json
    [[ $(json 'd[0]["class"] + " " + d[0]["reason"]' <<<"$output") == "invalid "*"writeMode: merge"* ]]
    mode merge
    wait_until 60 dst_is 3 '{.spec.replicas}' deployment twice
    wait_until 30 status_is apply applying held 0
}

@test "what was applied goes over to merges with its next change, and back" {
    wait_until 30 dst_is merge '{.metadata.labels.mode}' configmap settings
    operations_are '["Update"]' configmap settings
    set_key last null
    wait_until 30 dst_is '{"kept":"2","theirs":"1"}' '{.data}' configmap settings
    mode apply
    wait_until 30 dst_is apply '{.metadata.labels.mode}' configmap settings
    operations_are '["Apply"]' configmap settings
    set_key kept null
    wait_until 30 dst_is '{"theirs":"1"}' '{.data}' configmap settings
}

@test "deletes follow" {
    src -n shop delete configmap settings
    wait_until 30 is_gone configmap settings
    run_stop apply
}

@test "adopt: always overwrites what is there, and keeps its state before" {
    declare_clusters over source destination
    declare_sync over overwriting source destination "adopt: always" <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {nameSelector: {regex: [^over-merge]}}}
	- {version: v1, resource: configmaps, writeMode: apply, filters: {nameSelector: {regex: [^over-apply]}}}
	- {version: v1, resource: secrets, filters: {nameSelector: {regex: [^over]}}}
	ENTRIES
    local name
    src -n shop create secret generic over --from-literal=k=MARKER-new
    dst -n shop create secret generic over --from-literal=k=MARKER-old
    for name in over-merge over-apply; do
        src -n shop create configmap $name --from-literal=k=new
        dst -n shop create configmap $name --from-literal=k=old --from-literal=theirs=1
    done
    run_start over
    wait_until 30 dst_is "$(printf MARKER-new | base64)" '{.data.k}' secret over
    for name in over-merge over-apply; do
        wait_until 30 dst_is new '{.data.k}' configmap $name
        [[ $(dst -n shop get configmap $name -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}') == *" adopted" ]]
    done
    wait_until 30 status_is over overwriting waiting 0
    run -0 "$RESILOG" preimages --data "$E2E_DIR/over.data" -o json
    [ "$(json '[p["key"] for p in d]' <<<"$output")" = '["/configmaps/shop/over-apply", "/configmaps/shop/over-merge", "/secrets/shop/over"]' ]
    run -0 "$RESILOG" preimages --data "$E2E_DIR/over.data" overwriting /configmaps/shop/over-merge -o json
    [ "$(json 'd["data"]' <<<"$output")" = '{"k": "old", "theirs": "1"}' ]
    "$RESILOG" preimages --data "$E2E_DIR/over.data" overwriting /configmaps/shop/over-apply | dst apply --dry-run=client -f -
    run -0 "$RESILOG" preimages --data "$E2E_DIR/over.data" overwriting /secrets/shop/over
    [[ $output == *'"***"'* && $output != *"$(printf MARKER-old | base64)"* ]]
    run -0 "$RESILOG" preimages --data "$E2E_DIR/over.data" overwriting /secrets/shop/over --show-secrets
    [[ $output == *"$(printf MARKER-old | base64)"* ]]
    run -0 "$RESILOG" preimages --data "$E2E_DIR/over.data"
    [[ ${lines[0]} == SYNCHRONIZATION*KEY*KEPT*OFFSET* && ${#lines[@]} = 4 ]]
    run -3 "$RESILOG" preimages --data "$E2E_DIR/over.data" overwriting /configmaps/shop/none
    run -3 "$RESILOG" preimages --data "$E2E_DIR/over.data" no-such-one
    run ! grep -E 'MARKER-' "$E2E_DIR/over.log"
    run_stop over
}

trust_bundle() { # NAME [SIGNER]
    cat <<-OBJECT
	---
	apiVersion: certificates.k8s.io/v1beta1
	kind: ClusterTrustBundle
	metadata: {name: "$1"}
	spec:
	  ${2:+signerName: $2}
	  trustBundle: |
	$(sed 's/^/    /' "$E2E_DIR/trust.crt")
	OBJECT
}

@test "what entries name arrives: a Pod without its node, a DeviceTaintRule, the ClusterTrustBundle of no signer" {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=trust -keyout /dev/null -out "$E2E_DIR/trust.crt" 2>/dev/null
    declare_clusters rare source destination
    declare_sync rare naming source destination "effects: allow" "resyncPeriod: 1s" <<-'ENTRIES'
	- {version: v1, resource: pods}
	- {group: resource.k8s.io, version: v1alpha3, resource: devicetaintrules}
	- {group: certificates.k8s.io, version: v1beta1, resource: clustertrustbundles}
	ENTRIES
    src apply -f - <<<"
apiVersion: v1
kind: Node
metadata: {name: node-1}
---
apiVersion: v1
kind: Pod
metadata: {name: placed, namespace: shop}
spec: {nodeName: node-1, containers: [{name: main, image: 'main:1'}]}
---
apiVersion: resource.k8s.io/v1alpha3
kind: DeviceTaintRule
metadata: {name: broken}
spec: {deviceSelector: {driver: example.com, pool: p, device: d}, taint: {key: example.com/broken, effect: NoSchedule}}
$(trust_bundle bound.example.com:signer:x bound.example.com/signer)
$(trust_bundle open)"
    src -n shop patch pod placed --subresource=status --type=merge -p '{"status":{"phase":"Running","podIP":"10.1.2.3"}}'
    run_start rare
    wait_until 30 dst_is main:1 '{.spec.containers[0].image}' pod placed
    dst_is "" '{.spec.nodeName}' pod placed
    dst_is Pending '{.status.phase}' pod placed
    wait_until 30 dst_is NoSchedule '{.spec.taint.effect}' devicetaintrule broken
    wait_until 30 dst_is "$(cat "$E2E_DIR/trust.crt")" '{.spec.trustBundle}' clustertrustbundle open
    wait_until 30 status_is rare naming phase Live
    status_is rare naming held 0
    is_gone clustertrustbundle bound.example.com:signer:x
    local before=$(written destination)
    looked() { [ "$(requests destination list)" -ge "$1" ]; }
    wait_until 60 looked $(($(requests destination list) + 6)) # all copies were looked at twice more
    diff <(echo "$before") <(written destination)
    src delete devicetaintrule/broken clustertrustbundle/open
    src -n shop delete pod placed --force --grace-period=0
    wait_until 30 is_gone devicetaintrule broken
    wait_until 30 is_gone clustertrustbundle open
    wait_until 30 pod_ends
    run_stop rare
}
pod_ends() { # there is no kubelet here that would end it
    is_gone pod placed || dst_is 30 '{.metadata.deletionGracePeriodSeconds}' pod placed
}

@test "an entry's own word about effects wins, and a webhook waits for an endpoint of its Service" {
    declare_clusters own source destination
    declare_sync own owning source destination "effects: suspend" <<-'ENTRIES'
	- {group: batch, version: v1, resource: cronjobs, effects: allow}
	- {group: batch, version: v1, resource: jobs}
	- {group: admissionregistration.k8s.io, version: v1, resource: validatingwebhookconfigurations}
	ENTRIES
    src -n shop create cronjob nightly --image=job:1 --schedule='0 0 * * *'
    src -n shop create job once --image=job:1
    src apply -f - <<-'HOOK'
	apiVersion: admissionregistration.k8s.io/v1
	kind: ValidatingWebhookConfiguration
	metadata: {name: guard}
	webhooks:
	  - name: guard.example.com
	    clientConfig: {service: {namespace: shop, name: guard}}
	    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
	    admissionReviewVersions: [v1]
	    sideEffects: None
	HOOK
    run_start own
    wait_until 30 dst_is true '{.spec.suspend}' job once
    wait_until 30 dst_is false '{.spec.suspend}' cronjob nightly
    says own '(admission)'
    run ! says own 'cronjobs (runs)'
    wait_until 30 status_is own owning waiting 1
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/own.data" -o json
    [ "$(json '[h["class"] + " " + h["dependency"] for h in d]' <<<"$output")" = '["service-not-ready /services/shop/guard"]' ]
    is_gone validatingwebhookconfiguration guard
    dst apply -f - <<-'SLICE'
	apiVersion: discovery.k8s.io/v1
	kind: EndpointSlice
	metadata: {name: guard-1, namespace: shop, labels: {kubernetes.io/service-name: guard}}
	addressType: IPv4
	endpoints: [{addresses: [10.0.0.9], conditions: {ready: true}}]
	ports: [{port: 443}]
	SLICE
    is_there() { dst get validatingwebhookconfiguration guard; }
    wait_until 60 is_there
    wait_until 30 status_is own owning waiting 0
    run_stop own
}
