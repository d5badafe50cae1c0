#!/usr/bin/env bats
# What is held, and what a person may do about it: `holds ls`, `holds show`.
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

@test "holds show works while nothing runs, and without the log" {
    run_stop holds
    run -0 holds show copies configmap/go-apart
    [[ $output == *"class:           not-ours"* ]]
    mv "$E2E_DIR/holds.data/logs" "$E2E_DIR/holds.data/moved"
    run -3 holds show copies configmap/go-apart
    [[ $output == *"'resilog holds ls' prints it"* ]]
    run -0 holds show copies /configmaps/default/go-apart
    [[ $output == *"class:           not-ours"*"not in the log any more"* ]]
    mv "$E2E_DIR/holds.data/moved" "$E2E_DIR/holds.data/logs"
}
