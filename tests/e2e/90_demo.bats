#!/usr/bin/env bats
# deploy/demo.sh as the README names it: with servers of its own, and twice with given ones.
load lib

setup_file() {
    e2e_begin
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

shows_all() { # FILE
    local text
    for text in "3 replicas in the source, 0 in the destination" "registry.example.com/shop:2.0, " \
        "the Ingress is gone in the destination, too" "Live" "result:   sound" "how to go on"; do
        grep -qF -- "$text" "$1" || { echo "not shown: $text"; cat "$1"; return 1; }
    done
}

@test "the demo on its own servers shows everything, ends with 0 and leaves nothing" {
    "$ROOT/deploy/demo.sh" >"$E2E_DIR/own.out" 2>&1 </dev/null
    shows_all "$E2E_DIR/own.out"
    [ -z "$(ls -d "${TMPDIR:-/tmp}"/resilog-demo.* 2>/dev/null)" ]
}

@test "the demo on given clusters can be run twice" {
    kube_start here controllers
    kube_start there controllers
    local i
    for i in 1 2; do
        "$ROOT/deploy/demo.sh" --source "$(kube_config here)" --destination "$(kube_config there)" >"$E2E_DIR/given.out" 2>&1 </dev/null
        shows_all "$E2E_DIR/given.out"
    done
    run ! k here get namespace resilog-demo
    run ! k there get namespace resilog-demo
}
