#!/usr/bin/env bats
# The servers and helpers that every other file stands on.
load lib

setup_file() {
    e2e_begin
    [ -n "$E2E_SKIP" ] || { kube_start one && kube_start two; }
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

processes_of() { # DIR
    grep -lsF -f - /proc/[0-9]*/cmdline <<<"$1/" || :
}

@test "two clusters run side by side and do not see each other's objects" {
    k one create configmap here --from-literal=cluster=one
    k two create configmap here --from-literal=cluster=two
    [ "$(k one get configmap here -o 'jsonpath={.data.cluster}')" = one ]
    [ "$(k two get configmap here -o 'jsonpath={.data.cluster}')" = two ]
}

@test "a second start in the same folder is refused" {
    run -1 kube_start one
    [[ $output == *"holds a cluster already"* ]]
}

@test "an API server that was killed and restarted serves what was there" {
    local before
    before=$(cat "$E2E_DIR/one/apiserver.pid")
    kube_kill one apiserver
    run k one get configmap here --request-timeout=2s
    [ "$status" -ne 0 ]
    kube_restart one apiserver
    [ "$(cat "$E2E_DIR/one/apiserver.pid")" != "$before" ]
    [ "$(k one get configmap here -o 'jsonpath={.data.cluster}')" = one ]
}

@test "a watch from before a compaction is answered with 410 after a restart" {
    local old
    old=$(k one get configmap here -o 'jsonpath={.metadata.resourceVersion}')
    k one create configmap later
    kube_compact one
    kube_restart one apiserver
    run k one get --raw "/api/v1/configmaps?watch=1&timeoutSeconds=2&resourceVersion=$old"
    [[ $output == *'"code":410'* ]]
}

@test "wait_until sees a change and gives up at its limit" {
    proc_start toucher bash -c "sleep 0.3; touch '$E2E_DIR/touched'; exec sleep 60"
    wait_until 10 test -e "$E2E_DIR/touched"
    run ! wait_until 1 test -e "$E2E_DIR/never"
}

@test "a process is stopped by name, and a stranger with its number is left alone" {
    proc_alive toucher
    proc_stop toucher
    run ! proc_alive toucher
    sleep 60 3>&- &
    local stranger=$!
    echo "$stranger 1" >"$E2E_DIR/procs/stranger.pid"
    run ! proc_signal stranger KILL
    proc_stop stranger
    [ -e "/proc/$stranger/exe" ]
    kill "$stranger"
}

@test "a sweep leaves no process behind" {
    proc_start stays sleep 60
    local pid
    pid=$(proc_pid stays)
    [ -n "$(processes_of "$E2E_DIR/one")" ]
    e2e_sweep "$E2E_DIR"
    [ -z "$(processes_of "$E2E_DIR/one")" ]
    [ -z "$(processes_of "$E2E_DIR/two")" ]
    [ ! -e "/proc/$pid/exe" ]
}

@test "when a test file is killed its guard ends what it started" {
    printf '%s\n' "load $ROOT/tests/e2e/lib" "setup_file() {" "e2e_folder" "proc_start orphan sleep 61" \
        "proc_pid orphan >$E2E_DIR/orphan" "sleep 60" "}" \
        '@''test "never" { true; }' >"$E2E_DIR/killed.bats" # quoted, or bats would take it for a test of this file
    env -i PATH="$PATH" TMPDIR="$E2E_DIR" setsid bats "$E2E_DIR/killed.bats" </dev/null >"$E2E_DIR/killed.log" 2>&1 3>&- &
    local group=$! orphan
    wait_until 20 test -s "$E2E_DIR/orphan"
    orphan=$(cat "$E2E_DIR/orphan")
    [ -e "/proc/$orphan/exe" ]
    kill -s KILL -- "-$group"
    wait_until 20 test ! -e "/proc/$orphan/exe"
}
