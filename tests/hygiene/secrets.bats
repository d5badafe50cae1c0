#!/usr/bin/env bats
# The search for secrets at the end of each end-to-end file finds them in messages and in what commands print, wherever they are.
bats_require_minimum_version 1.5.0
load ../e2e/lib
load ../e2e/resilog

setup() {
    E2E_DIR=$BATS_TEST_TMPDIR/e2e
    RESILOG=$BATS_TEST_TMPDIR/resilog
    mkdir "$E2E_DIR" "$E2E_DIR/procs" "$E2E_DIR/one" "$E2E_DIR/one.data"
    printf 'source\ndestination\n' >"$E2E_DIR/one.clusters"
    echo "object created" >"$E2E_DIR/one.log"
    prints nothing nothing
}
# prints COMMAND TEXT: a resilog that prints the text where it is asked for the command, and "fine" else
prints() {
    printf '#!/bin/bash\ncase "$*" in "%s"*) echo "%s" ;; *) echo fine ;; esac\n' "$@" >"$RESILOG"
    chmod +x "$RESILOG"
}

@test "where nothing planted is told, the search passes, and has asked for everything" {
    run -0 nothing_secret
    [ "$(grep -c fine "$E2E_DIR/one.told.log")" = 13 ]
}

@test "a secret in a message is found, in clear and in base64" {
    local told
    for told in 'value MARKER-x' 'value TUFSS0VSLXg=' 'Bearer admin-token' 'BEGIN RSA PRIVATE KEY' 'key LS0tLS1CRUdJTiBQUklWQVRF'; do
        echo "$told" >"$E2E_DIR/one.log"
        run -1 nothing_secret
        [[ $output == *one.log:*"$told"* ]]
    done
}

@test "a secret in what any command prints is found" {
    local command
    for command in "status --data" "status -o json" "holds ls --data" "holds ls -o json" "log verify" "log show --all --patch" \
        "log show --all -o yaml" "log show --all -o jsonl" validate; do
        prints "$command" "value MARKER-x"
        run -1 nothing_secret
        [[ $output == *one.told.log:*MARKER-x* ]] || { echo "not found in $command"; return 1; }
    done
}

@test "the end of a file fails where a secret was told" {
    run -0 e2e_end
    mkdir -p "$E2E_DIR/procs"
    touch "$E2E_DIR/one.clusters"
    echo MARKER-x >"$E2E_DIR/one.log"
    run -1 e2e_end
    [ ! -e "$E2E_DIR" ]
}
