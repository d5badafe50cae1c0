#!/usr/bin/env bats
# What is held, and what a person may do about it: `holds ls`, `holds show`, `holds retry`, `holds skip`, `adopt`.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster
    for cluster in one two; do
        kube_start "$cluster"
        k "$cluster" create configmap go-apart --from-literal="is=$cluster"
    done
    declare_clusters holds one two
    declare_sync holds copies one two <<<'- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^go"]}}}'
    k one create configmap go-sound --from-literal=a=1
    run_start holds
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

# An admission webhook of cluster two that denies ConfigMaps of the default namespace with the label bad: nobody answers it.
deny() {
    k two apply -f - <<-WEBHOOK
	apiVersion: admissionregistration.k8s.io/v1
	kind: ValidatingWebhookConfiguration
	metadata: {name: deny}
	webhooks:
	- name: deny.example.com
	  clientConfig: {url: "https://127.0.0.1:1/"}
	  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
	  objectSelector: {matchLabels: {bad: "yes"}}
	  failurePolicy: Fail
	  timeoutSeconds: 1
	  sideEffects: None
	  admissionReviewVersions: [v1]
	WEBHOOK
    denies() { ! k two create -f - --dry-run=server <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: probe, labels: {bad: "yes"}}}'; }
    wait_until 20 denies
}
bad() { # NAME VALUE
    k one apply -f - <<<"{apiVersion: v1, kind: ConfigMap, metadata: {name: $1, labels: {bad: \"yes\"}}, data: {v: \"$2\"}}"
}
held_is() { # NAME EXPRESSION: of the JSON of its hold
    [ "$(holds show copies "cm/$1" -o json | json "$2")" = true ]
}
there() {
    k two get configmap "$1"
}
adopt() { # WORD...
    "$RESILOG" adopt --data "$E2E_DIR/holds.data" "$@"
}
value_is() { # NAME VALUE
    [ "$(k two get configmap "$1" -o 'jsonpath={.data.is}')" = "$2" ]
}

holds() { # COMMAND WORD...
    "$RESILOG" holds "$1" --data "$E2E_DIR/holds.data" "${@:2}"
}

@test "holds show tells all of one hold, by kind and name or by its key, while run runs" {
    wait_until 30 status_is holds copies held 1
    run -0 holds show copies configmap/go-apart
    [[ $output == *"synchronization: default/copies"*"object:          /configmaps/default/go-apart"* ]]
    [[ $output == *"state:           held"*"class:           not-ours"*"next try: "*"(in "*"manager:         kubectl-create"* ]]
    run -0 holds show default/copies -n default cm/go-apart -o json
    [ "$(json '(d["key"], d["class"], d["event"]["op"], d["event"]["manager"], d["offset"] == d["event"]["offset"], d["nextTry"] > d["since"])' <<<"$output")" = \
        '["/configmaps/default/go-apart", "not-ours", "put", "kubectl-create", true, true]' ]
    run -0 holds show copies /configmaps/default/go-apart
}

@test "holds show refuses what is not held and what is not there with the reason" {
    run -3 holds show copies configmap/go-sound
    [[ $output == *"configmap/go-sound is not held by default/copies"* ]]
    run -3 holds show other configmap/go-apart
    [[ $output == *'no synchronization "other"; there are: default/copies'* ]]
    run -3 holds show copies nothing/go-apart
    [[ $output == *'no kind "nothing"'* ]]
    run -2 holds show copies
    [[ $output == *KIND/NAME* ]]
}

@test "holds retry tries an object now, whose back-off would have it wait" {
    deny
    bad go-denied 1
    tried() { held_is go-denied 'd["attempts"] >= 2'; }
    wait_until 60 tried # by now the next try is far away
    k two delete validatingwebhookconfiguration deny
    denies() { ! k two create -f - --dry-run=server <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: probe, labels: {bad: "yes"}}}'; }
    allows() { ! denies; }
    wait_until 20 allows
    run -0 holds retry copies configmap/go-denied
    [[ $output == "/configmaps/default/go-denied: tried now" ]]
    wait_until 10 there go-denied
    run -3 holds retry copies configmap/go-denied
    run -0 holds retry copies --all
    [[ $output == "1 object: tried now" ]]
}

@test "holds skip gives an event up, a newer one is applied" {
    run -0 holds skip copies cm/go-apart
    [[ $output == "/configmaps/default/go-apart: given up until a newer event of it" ]]
    wait_until 10 status_is holds copies held 0
    status_is holds copies skipped 1
    run -0 holds ls -o json
    [ "$(json '[(h["key"], h["skipped"]) for h in d]' <<<"$output")" = '[["/configmaps/default/go-apart", true]]' ]
    run -0 holds ls
    [[ ${lines[1]} == *skipped*not-ours* ]]
    run_kill holds
    run_start holds
    wait_until 30 status_is holds copies phase Live
    status_is holds copies skipped 1
    held_is go-apart 'd["skipped"] and d["nextTry"] is None'
    k one label configmap go-apart newer=yes
    wait_until 20 status_is holds copies held 1
    [ "$(k two get configmap go-apart -o 'jsonpath={.data.is}{.metadata.annotations}')" = two ]
}

@test "the control socket is its owner's alone, and one that was left behind does not matter" {
    [ "$(stat -c '%F %a' "$E2E_DIR/holds.data/ctl.sock")" = "socket 600" ]
    run_kill holds
    [ -S "$E2E_DIR/holds.data/ctl.sock" ]
    run -0 holds skip copies cm/go-apart
    [[ $output == *"given up"* ]]
    run -0 holds retry copies cm/go-apart
    [[ $output == *"tried when the synchronization is at work again" ]]
    run -0 holds skip copies cm/go-apart
    run_start holds
    wait_until 30 status_is holds copies phase Live
    status_is holds copies skipped 1
    run -0 holds retry copies cm/go-apart
    wait_until 20 status_is holds copies held 1
    [ -z "$(k two get configmap go-apart -o 'jsonpath={.metadata.annotations}')" ]
}

@test "a wrong order is refused, and what is no order harms nobody" {
    run -2 holds skip copies --all
    run -2 holds skip copies
    run -2 holds retry copies
    run -2 holds retry copies cm/go-apart --all
    run -3 holds skip copies cm/go-sound
    [[ $output == *"is not held"* ]]
    python3 - "$E2E_DIR/holds.data/ctl.sock" <<-'PY'
	import socket, sys
	for line in (b"GET / HTTP/1.1\r\n\r\n", b"x" * 100000, b"{}\n", b"", b'{"order":"skip","sync":"default/copies"}\n'):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    try:
	        s.sendall(line)
	        s.shutdown(socket.SHUT_WR)
	        print(s.recv(1000))
	    except (BrokenPipeError, ConnectionResetError):
	        pass
	PY
    run -0 holds retry copies --all
    status_is holds copies held 1
}

@test "a running instance whose socket is gone is not worked around" {
    mv "$E2E_DIR/holds.data/ctl.sock" "$E2E_DIR/holds.data/moved.sock"
    run -4 holds skip copies cm/go-apart
    [[ $output == *"nobody takes orders at "*"/ctl.sock"* ]]
    mv "$E2E_DIR/holds.data/moved.sock" "$E2E_DIR/holds.data/ctl.sock"
    status_is holds copies skipped 0
}

@test "adopt overwrites what is not ours, once it is told to, and shows before what that changes" {
    k two create configmap go-other --from-literal=is=two --from-literal=more=1
    k one create configmap go-other --from-literal=is=one
    k one create configmap go-apart-too --from-literal=is=one
    k two create configmap go-gone --from-literal=is=two
    k one create configmap go-gone --from-literal=is=one
    wait_until 20 status_is holds copies held 3
    k two delete configmap go-gone
    run -0 --separate-stderr adopt copies --plan
    [[ $output == *"/configmaps/default/go-apart "*" now "*"/configmaps/default/go-other "*" now "*"differs in /data/is"* ]]
    [ "$stderr" = "resilog: 2 objects would be adopted" ]
    run -0 --separate-stderr adopt copies configmap/go-other --plan
    [ "$stderr" = "resilog: 1 object would be adopted" ]
    [ "$(k two get configmap go-other -o 'jsonpath={.data.is}{.metadata.annotations}')" = two ]
    run -0 adopt copies configmap/go-other
    [ "$output" = "1 object: adoption tried now" ]
    wait_until 20 value_is go-other one
    [[ $(k two get configmap go-other -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}') == *" adopted" ]]
    [ "$(k two get configmap go-other -o 'jsonpath={.data.more}')" = 1 ]
    [ "$(k two get configmap go-apart -o 'jsonpath={.data.is}')" = two ]
    wait_until 20 status_is holds copies held 1
    run -3 adopt copies configmap/go-other
    k one patch configmap go-other --type=merge -p '{"data":{"is":"1"}}'
    wait_until 20 value_is go-other 1
}

@test "holds show works while nothing runs, and without the log" {
    run_stop holds
    run -4 adopt copies
    [[ $output == *"nothing was adopted"* ]]
    run -0 adopt copies --plan
    run -0 holds show copies configmap/go-apart
    [[ $output == *"class:           not-ours"* ]]
    mv "$E2E_DIR/holds.data/logs" "$E2E_DIR/holds.data/moved"
    run -3 holds show copies configmap/go-apart
    [[ $output == *"'resilog holds ls' prints it"* ]]
    run -0 holds show copies /configmaps/default/go-apart
    [[ $output == *"class:           not-ours"*"not in the log any more"* ]]
    mv "$E2E_DIR/holds.data/moved" "$E2E_DIR/holds.data/logs"
}

@test "a log that cannot be opened is in the way of names alone, not of keys" {
    local segment
    segment=$(find "$E2E_DIR/holds.data/logs" -name '*.mdb' | sort | tail -n 1)
    mv "$segment" "$E2E_DIR/segment"
    printf 'no segment' >"$segment"
    run -5 holds skip copies configmap/go-apart
    run -5 holds show copies configmap/go-apart
    run -0 --separate-stderr holds show copies /configmaps/default/go-apart
    [[ $output == *"class:           not-ours"* ]]
    [[ $stderr == "resilog: the event is not shown: "* ]]
    run -0 holds skip copies /configmaps/default/go-apart
    run -0 holds retry copies /configmaps/default/go-apart
    mv "$E2E_DIR/segment" "$segment"
}
