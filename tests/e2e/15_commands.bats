#!/usr/bin/env bats
# What the other files do not use of the commands: resources from standard input, two sources in one data folder, the version.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster file
    for cluster in one two; do
        kube_start "$cluster"
    done
    # Each cluster is a source: ConfigMaps go from one to two, Secrets from two to one.
    declare_clusters both one two
    declare_sync both forth one two <<<'- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^go"]}}}'
    declare_sync both back two one <<<'- {version: v1, resource: secrets, filters: {nameSelector: {regex: ["^go"]}}}'
    for cluster in one two; do
        printf -- '---\n'
        k "$cluster" create secret generic "$cluster-kubeconfig" --from-file="kubeconfig.yaml=$(kube_config "$cluster")" \
            --dry-run=client -o yaml
    done >"$E2E_DIR/both/secrets.yaml"
    for file in "$E2E_DIR"/both/*.yaml; do
        printf -- '---\n'
        cat "$file"
    done >"$E2E_DIR/all.yaml"
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

verify() { # OPTION...
    "$RESILOG" log verify --data "$E2E_DIR/both.data" "$@"
}

@test "version prints the project's version and nothing else" {
    run -0 "$RESILOG" version
    [ "$output" = "resilog $(sed -n 's/^project(resilog VERSION \([0-9.]*\) .*/\1/p' "$ROOT/CMakeLists.txt")" ]
    [ "$("$RESILOG" --version)" = "$output" ]
    run -2 "$RESILOG" version more
}

@test "validate takes resources from standard input, and calls it - in its messages" {
    run -0 "$RESILOG" validate -f - <"$E2E_DIR/all.yaml"
    [[ $output == *"2 synchronizations, 0 errors"* ]]
    sed 's/suspend: false/suspended: false/' "$E2E_DIR/both/forth.yaml" >"$BATS_TEST_TMPDIR/wrong.yaml"
    run -3 "$RESILOG" validate -f "$E2E_DIR/both/clusters.yaml" -f "$E2E_DIR/both/secrets.yaml" -f - <"$BATS_TEST_TMPDIR/wrong.yaml"
    [[ $output == *"-:6:3"*'did you mean "suspend"'* ]]
    run -3 "$RESILOG" validate -f - </dev/null
}

@test "run takes resources from standard input, with the credentials in Secrets among them" {
    proc_start both bash -c 'exec "$0" run -f - --data "$1" <"$2"' "$RESILOG" "$E2E_DIR/both.data" "$E2E_DIR/all.yaml"
    k one create configmap go-forth --from-literal=a=1
    k two create secret generic go-back --from-literal=a=MARKER-secret
    wait_same 30 one two --resource /v1/configmaps --names '^go'
    wait_same 30 two one --resource /v1/secrets --names '^go'
    run ! grep -E 'MARKER-secret|admin-token' "$E2E_DIR/both.log"
}

@test "where a data folder holds two logs, log show and log verify name both and ask for --source" {
    local command
    for command in show verify; do
        run -3 "$RESILOG" log "$command" --data "$E2E_DIR/both.data"
        [[ $output == *--source*default/* && $output == *default/one* && $output == *default/two* ]]
        run -3 "$RESILOG" log "$command" --data "$E2E_DIR/both.data" --source three
        [[ $output == *'"three"'* && $output == *default/one* && $output == *default/two* ]]
    done
}

@test "log show and log verify read the log that --source names, with its namespace or without" {
    local name
    for name in one default/one; do
        [ "$(log_show both --source "$name" -o json | json '{e["key"] for e in d if "/go-" in e["key"]} == {"/configmaps/default/go-forth"}')" = true ]
        run -0 verify --source "$name"
        [[ ${lines[0]} == source:*" default/one" && $output == *"result:   sound" ]]
    done
    [ "$(log_show both --source two -o json | json '{e["key"] for e in d if "/go-" in e["key"]} == {"/secrets/default/go-back"}')" = true ]
    run -0 verify --source two
    [[ ${lines[0]} == source:*" default/two" ]]
}

@test "a log's cursor is of no use in another log" {
    run -0 log_show both --source one --show-cursor --tail 1
    local cursor=${lines[-1]#-- cursor: }
    [[ $cursor == default/one@* ]]
    run -0 log_show both --source one --after-cursor "$cursor"
    run -3 log_show both --source two --after-cursor "$cursor"
}

@test "status shows the synchronizations of both sources" {
    wait_until 30 status_is both forth phase Live
    wait_until 30 status_is both back phase Live
    [ "$(status both forth source)" = default/one ]
    [ "$(status both back source)" = default/two ]
}

@test "resources from standard input cannot be read again, and what runs goes on" {
    proc_signal both HUP
    wait_until 20 says both 'cannot be read again'
    k one create configmap go-on --from-literal=a=1
    wait_same 30 one two --resource /v1/configmaps --names '^go' --least 2
    proc_stop both TERM 40
    clean_output both
    verify --source one
    verify --source two
}
