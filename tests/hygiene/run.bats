#!/usr/bin/env bats
# What tests/run.sh reports, in a little tree of its own: parts that pass, fail and skip, and servers that cannot be had.
bats_require_minimum_version 1.5.0

setup() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE/tests/e2e" "$TREE/tests/servers/kube" "$TREE/tests/servers/zookeeper" "$TREE/tools" "$TREE/bin"
    cp "$ROOT/tests/run.sh" "$TREE/tests"
    cp "$ROOT/tests/e2e/lib.bash" "$TREE/tests/e2e"
    cp "$ROOT/tools/count_tests.py" "$TREE/tools"
    script bin/cmake ':' # everything is built
    servers 0 true
    script tests/servers/zookeeper/jars.sh true
}
script() { # FILE LINE...
    printf '%s\n' '#!/bin/sh' "${@:2}" >"$TREE/$1"
    chmod +x "$TREE/$1"
}
servers() { # EXIT-CODE-OF-GET CONDITION-OF-FIND
    script tests/servers/kube/programs.sh "case \$1 in get) exit $1 ;; find) $2 ;; esac"
}
bats_file() { # LINE...: a file of tests/e2e; its @test is not one of this file
    printf '%s\n' '#!/usr/bin/env bats' '@''test "it passes" { true; }' "$@" >"$TREE/tests/e2e/10_some.bats"
    chmod +x "$TREE/tests/e2e/10_some.bats"
}
ctest_program() { # EXIT-CODE
    mkdir -p "$TREE/build/dev"
    printf '%s\n' "add_test(some_fault sh -c \"echo pwrite failed 7 times; exit $1\")" \
        'set_tests_properties(some_fault PROPERTIES LABELS fault SKIP_RETURN_CODE 77)' >"$TREE/build/dev/CTestTestfile.cmake"
}
# reports EXIT-CODE LAST-LINE RUN-ARGUMENT...: runs it; ALL=1 as with RESILOG_TEST_ALL=1. A bats inside of bats must not find
# the inner programs of the outer one on PATH.
reports() {
    run "-$1" env -i PATH="$TREE/bin:${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$BATS_TEST_TMPDIR" ${ALL:+RESILOG_TEST_ALL="$ALL"} \
        "$TREE/tests/run.sh" "${@:3}"
    [ "${lines[-1]}" = "$2" ] || { echo "$output"; return 1; }
}
says() { # LINE
    grep -qxF -- "$1" <<<"$output" || { echo "no line \"$1\" in: $output"; return 1; }
}

@test "servers that are there are no line of their own" {
    reports 0 "0 passed, 0 failed" --only servers
    run ! grep -E 'skipped|failed:' <<<"$output"
}

@test "each server that cannot be had is named as skipped, and the last line counts them" {
    servers 3 '[ "$2" = etcd ] || [ "$2" = kubectl ]'
    reports 0 "0 passed, 0 failed, 2 skipped" --only servers
    says "skipped: kube-apiserver"
    says "skipped: kube-controller-manager"
    run ! grep -E 'etcd|kubectl' <<<"$output"
}

@test "with RESILOG_TEST_ALL=1 each server that cannot be had is a failure" {
    servers 3 '[ "$2" = etcd ] || [ "$2" = kubectl ]'
    ALL=1 reports 1 "0 passed, 2 failed" --only servers
    says "failed: kube-apiserver: skipped"
    says "failed: kube-controller-manager: skipped"
    says "failed parts: servers"
}

@test "a version of ZooKeeper that cannot be had is named as skipped, and is a failure with RESILOG_TEST_ALL=1" {
    script tests/servers/zookeeper/jars.sh '[ "$2" = debian ] || exit 3'
    reports 0 "0 passed, 0 failed, 1 skipped" --only servers
    says "skipped: ZooKeeper 3.9.5"
    ALL=1 reports 1 "0 passed, 1 failed" --only servers
    says "failed: ZooKeeper 3.9.5: skipped"
}

@test "servers that could be had and did not build are a failure in any case" {
    servers 1 false
    reports 1 "0 passed, 1 failed" --only servers
    says "failed parts: servers"
}

@test "a test of bats that skips itself is named, and is a failure with RESILOG_TEST_ALL=1" {
    bats_file '@''test "it needs a disk" { skip "no disk here"; }'
    reports 0 "1 passed, 0 failed, 1 skipped" --only e2e
    says "skipped: it needs a disk: no disk here"
    ALL=1 reports 1 "1 passed, 1 failed" --only e2e
    says "failed: it needs a disk: skipped: no disk here"
    says "failed parts: e2e"
}

@test "a program of ctest that skips itself is named, and is a failure with RESILOG_TEST_ALL=1" {
    ctest_program 77
    reports 0 "0 passed, 0 failed, 1 skipped" --only faults
    grep '^skipped: some_fault' <<<"$output"
    ALL=1 reports 1 "0 passed, 1 failed" --only faults
    grep '^failed: some_fault: skipped' <<<"$output"
}

@test "a script that skips itself is named, and is a failure with RESILOG_TEST_ALL=1" {
    script tests/e2e/20_some.sh 'exit 77'
    bats_file
    reports 0 "1 passed, 0 failed, 1 skipped" --only e2e
    says "skipped: tests/e2e/20_some.sh"
    ALL=1 reports 1 "1 passed, 1 failed" --only e2e
    says "failed: tests/e2e/20_some.sh: skipped"
}

@test "the counts of a fault loop are printed although it passes" {
    ctest_program 0
    reports 0 "1 passed, 0 failed" --only faults
    says "1: pwrite failed 7 times"
}

@test "what fails is named, whatever its kind, and the parts behind it run all the same" {
    bats_file '@''test "it fails" { false; }'
    ctest_program 1
    script tests/e2e/20_some.sh 'exit 1'
    reports 1 "1 passed, 3 failed" --only faults e2e servers
    says "failed: it fails"
    says "failed: some_fault"
    says "failed: tests/e2e/20_some.sh"
    says "failed parts: faults e2e"
}
