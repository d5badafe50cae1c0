#!/usr/bin/env bats
# deploy/demo.sh --zookeeper as the README names it.
load lib

setup_file() {
    zk_begin
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

@test "the demo between two ZooKeeper servers shows everything, ends with 0 and leaves nothing" {
    local text
    "$ROOT/deploy/demo.sh" --zookeeper >"$E2E_DIR/demo.out" 2>&1 </dev/null || { cat "$E2E_DIR/demo.out"; return 1; }
    for text in "result=Succeeded" "/shop/orders/order-0000000001" "the destination has version=2, too" "Live" \
        '/text: "version=1" -> "version=2"' "result:   sound" "Created /shop/orders/order-0000000003" "how to go on"; do
        grep -qF -- "$text" "$E2E_DIR/demo.out" || { echo "not shown: $text"; cat "$E2E_DIR/demo.out"; return 1; }
    done
    [ -z "$(ls -d "${TMPDIR:-/tmp}"/resilog-demo.* 2>/dev/null)" ]
    run ! grep -lsF "${TMPDIR:-/tmp}/resilog-demo." /proc/[0-9]*/cmdline
}

@test "the demo says what does not go together" {
    touch "$E2E_DIR/config"
    run -2 "$ROOT/deploy/demo.sh" --zookeeper --source "$E2E_DIR/config" --destination "$E2E_DIR/config"
    [[ $output == *"--zookeeper goes without"* ]]
    run -0 "$ROOT/deploy/demo.sh" --help
    [[ $output == *--zookeeper* ]]
}
