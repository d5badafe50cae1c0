#!/usr/bin/env bats
# Objects that the destination does not take, while it takes all others: a webhook that never answers, a kind that is not served.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    kube_start destination
    local cluster namespace
    for cluster in source destination; do
        for namespace in light fails ignores; do
            k "$cluster" create namespace "$namespace"
        done
        serve "$cluster" v1
    done
    declare_clusters obstacles source destination
    declare_sync obstacles copies source destination <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {nameSelector: {excludeRegex: ["^kube-root"]}}}
	- {group: example.com, version: v1, resource: gadgets}
	ENTRIES
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hole -addext subjectAltName=IP:127.0.0.1 \
        -keyout "$E2E_DIR/hole.key" -out "$E2E_DIR/hole.crt" 2>/dev/null
    proc_start hole python3 -c 'import socket, ssl, sys
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1] + ".crt", sys.argv[1] + ".key")
listener = tls.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
print(listener.getsockname()[1], file=open(sys.argv[1] + ".port", "w"))
held = []
while True:
    try:
        held.append(listener.accept())
    except OSError:
        pass' "$E2E_DIR/hole"
    wait_until 10 test -s "$E2E_DIR/hole.port"
    run_start obstacles
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

serve() { # CLUSTER VERSION: gadgets in that version alone
    local other=v1
    [ "$2" = v2 ] || other=v2
    k "$1" apply -f - <<-CRD
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: gadgets.example.com}
	spec:
	  group: example.com
	  scope: Namespaced
	  names: {plural: gadgets, singular: gadget, kind: Gadget}
	  versions:
	  - {name: $2, served: true, storage: $([ "$2" = v1 ] && echo true || echo false), schema: &s {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
	  - {name: $other, served: false, storage: $([ "$other" = v1 ] && echo true || echo false), schema: *s}
	CRD
}
blackhole() { # POLICY NAMESPACE: an admission webhook for the namespace's ConfigMaps that never answers
    k destination apply -f - <<-WEBHOOK
	apiVersion: admissionregistration.k8s.io/v1
	kind: ValidatingWebhookConfiguration
	metadata: {name: hole-$2}
	webhooks:
	- name: hole.example.com
	  clientConfig: {url: "https://127.0.0.1:$(cat "$E2E_DIR/hole.port")/", caBundle: $(base64 -w 0 "$E2E_DIR/hole.crt")}
	  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
	  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $2}}
	  failurePolicy: $1
	  timeoutSeconds: 15
	  sideEffects: None
	  admissionReviewVersions: [v1]
	WEBHOOK
    refuses() { ! timeout 2 "$E2E_KUBECTL" --kubeconfig "$(kube_config destination)" -n "$1" create configmap probe --dry-run=server; }
    wait_until 20 refuses "$2"
}
there() { # CLUSTER NAMESPACE KIND NAME
    k "$1" -n "$2" get "$3" "$4"
}
gone() {
    ! there "$@"
}
gadget() { # NAME
    k source create -f - <<<"{apiVersion: example.com/v1, kind: Gadget, metadata: {name: $1, namespace: light}, spec: {n: 1}}"
    wait_until 30 there destination light gadgets.v1.example.com "$1"
}

@test "a webhook that may be ignored delays an object, although it never answers" {
    blackhole Ignore ignores
    k source -n ignores create configmap late --from-literal=k=1
    wait_until 60 there destination ignores configmap late
}

@test "a webhook that must answer and never does holds its object alone, and by its name" {
    blackhole Fail fails
    k source -n fails create configmap dark --from-literal=k=1
    k source -n light create configmap sound --from-literal=k=1
    wait_until 10 there destination light configmap sound
    wait_until 60 status_is obstacles copies held 1
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/obstacles.data" -o json
    [[ $output == *'"class":"webhook"'* && $output == *hole.example.com* ]]
    gone destination fails configmap dark
    k destination delete validatingwebhookconfiguration hole-fails
    wait_until 90 there destination fails configmap dark
    wait_until 10 status_is obstacles copies held 0
}

@test "a field that the destination's kind does not know is dropped there, and holds nothing" {
    k destination patch crd gadgets.example.com --type=json -p '[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema",
        "value":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer"}}}}}}]'
    pruned() { [[ $(k destination get --raw /openapi/v3/apis/example.com/v1) == *'"n":{"type":"integer"'* ]]; }
    wait_until 20 pruned
    k source create -f - <<<'{apiVersion: example.com/v1, kind: Gadget, metadata: {name: newer, namespace: light}, spec: {n: 1, later: true}}'
    wait_until 30 there destination light gadgets.v1.example.com newer
    k source -n light patch gadget newer --type=merge -p '{"spec":{"n":2}}'
    spec() { [ "$(k destination -n light get gadget newer -o 'jsonpath={.spec}')" = "$1" ]; }
    wait_until 30 spec '{"n":2}'
    status_is obstacles copies held 0
    serve destination v1
}

@test "a delete waits while only another version of its kind is served" {
    gadget a
    serve destination v2
    wait_until 20 there destination light gadgets.v2.example.com a
    k source -n light delete gadget.v1.example.com a
    wait_until 30 status_is obstacles copies waiting 1
    there destination light gadgets.v2.example.com a
    serve destination v1
    wait_until 30 gone destination light gadgets.v1.example.com a
    wait_until 10 status_is obstacles copies waiting 0
}

@test "a delete is done where the whole kind is gone" {
    gadget b
    k destination delete crd gadgets.example.com
    k source -n light delete gadget.v1.example.com b
    k source -n light create configmap after --from-literal=k=1
    wait_until 30 there destination light configmap after
    wait_until 30 status_is obstacles copies lagRecords 0
    status_is obstacles copies waiting 0
    status_is obstacles copies held 0
    run_stop obstacles
}
