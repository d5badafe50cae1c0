#!/usr/bin/env bats
# How the server programs are found and fetched, with a local web server in the place of the official one.
load lib

setup_file() {
    e2e_folder
    mkdir -p "$E2E_DIR/web/release-v1/bin"
    printf '#!/bin/sh\necho "etcd Version: 3.6.5"\n' >"$E2E_DIR/web/release-v1/bin/etcd"
    chmod +x "$E2E_DIR/web/release-v1/bin/etcd"
    tar -C "$E2E_DIR/web" -czf "$E2E_DIR/web/etcd.tar.gz" release-v1
    proc_start web python3 -u -m http.server --bind 127.0.0.1 --directory "$E2E_DIR/web" 0
    wait_until 20 grep -q 'port [0-9]' "$E2E_DIR/web.log"
    export URL="http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$E2E_DIR/web.log")/etcd.tar.gz"
    export SUM=$(sha256sum "$E2E_DIR/web/etcd.tar.gz" | cut -d' ' -f1)
}
teardown_file() {
    e2e_end
}
setup() {
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
    unset RESILOG_TEST_BIN
    cp -r "$KUBE" "$BATS_TEST_TMPDIR/kube"
    PROGRAMS=$BATS_TEST_TMPDIR/kube/programs.sh
    CACHED=$XDG_CACHE_HOME/resilog/kube-1.35.4/etcd
    # One of another version comes first on PATH, so that one of this machine cannot be found.
    mkdir "$BATS_TEST_TMPDIR/other"
    printf '#!/bin/sh\necho "etcd Version: 0.0.0"\n' >"$BATS_TEST_TMPDIR/other/etcd"
    chmod +x "$BATS_TEST_TMPDIR/other/etcd"
    PATH=$BATS_TEST_TMPDIR/other:$PATH
}
pin() { # SUM
    echo "$(uname -m) etcd sha256sum $1 $URL" >"$BATS_TEST_TMPDIR/kube/releases.txt"
}

@test "a download with the right checksum lands in the cache and is found" {
    pin "$SUM"
    "$PROGRAMS" get --download etcd
    [ "$("$PROGRAMS" find etcd)" = "$CACHED" ]
    [ "$("$CACHED")" = "etcd Version: 3.6.5" ]
}

@test "a download with another checksum is refused and leaves nothing" {
    pin "${SUM//[0-9]/0}"
    run -1 "$PROGRAMS" get --download etcd
    [[ $output == *"checksum is not"* ]]
    run -3 "$PROGRAMS" find etcd
    [ "$(ls "$XDG_CACHE_HOME/resilog/kube-1.35.4")" = lock ]
}

@test "two downloads at once end with one good program each" {
    pin "$SUM"
    proc_start first "$PROGRAMS" get --download etcd
    "$PROGRAMS" get --download etcd
    wait_until 20 proc_gone first
    [ "$("$CACHED")" = "etcd Version: 3.6.5" ]
    [ "$(cd "$(dirname "$CACHED")" && echo *)" = "etcd lock" ]
}

old_go() {
    mkdir "$BATS_TEST_TMPDIR/old"
    printf '#!/bin/sh\necho "go version go1.19.8 linux/amd64"\n' >"$BATS_TEST_TMPDIR/old/go"
    chmod +x "$BATS_TEST_TMPDIR/old/go"
}

@test "without a toolchain the official release is taken" {
    old_go
    pin "$SUM"
    PATH=$BATS_TEST_TMPDIR/old:$PATH run -0 "$PROGRAMS" get etcd
    [ "$("$CACHED")" = "etcd Version: 3.6.5" ]
}

@test "without a toolchain and without the release the message names what brings the program" {
    old_go
    pin "${SUM//[0-9]/0}"
    PATH=$BATS_TEST_TMPDIR/old:$PATH run -3 "$PROGRAMS" get etcd
    [[ $output == *"missing: etcd"* ]]
    [[ $output == *"get --download"* ]]
    [[ $output == *"RESILOG_TEST_BIN"* ]]
}

@test "a program of RESILOG_TEST_BIN comes first, and one of the wrong version is refused" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho "etcd Version: 3.6.9"\n' >"$BATS_TEST_TMPDIR/bin/etcd"
    chmod +x "$BATS_TEST_TMPDIR/bin/etcd"
    [ "$(RESILOG_TEST_BIN=$BATS_TEST_TMPDIR/bin "$PROGRAMS" find etcd)" = "$BATS_TEST_TMPDIR/bin/etcd" ]
    printf '#!/bin/sh\necho "etcd Version: 3.4.0"\n' >"$BATS_TEST_TMPDIR/bin/etcd"
    RESILOG_TEST_BIN=$BATS_TEST_TMPDIR/bin run -3 "$PROGRAMS" find etcd
    [[ $output == *"not of Kubernetes"* ]]
}
