#!/usr/bin/env bats
# Wrong resources are refused before anything starts; servers that refuse, disks that are full and logs that are damaged are stated.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    kube_start destination
    for name in source destination; do
        proc_start "proxy-$name" "$ROOT/tests/e2e/proxy.py" "$(kube_config $name)" "$E2E_DIR/via-$name"
    done
    wait_until 10 test -e "$E2E_DIR/via-source/kubeconfig"
    wait_until 10 test -e "$E2E_DIR/via-destination/kubeconfig"
    declare_clusters good via-source via-destination
    declare_sync good picky via-source via-destination <<-'ENTRIES'
	- group: ""
	  version: v1
	  resource: configmaps
	  filters:
	    selector: {matchLabels: {copy: "yes"}}
	    nameSelector:
	      regex: ["^c"]
	  transformation:
	    patch:
	      - op: replace
	        path: /data/a
	        value: "1"
	ENTRIES
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

# refused SED-EXPRESSION PATTERN...: the good resources, edited, are refused by run and by validate; every pattern is in the
# message; nothing is started.
refused() {
    local edit=$1 pattern folder=$BATS_TEST_TMPDIR/edited
    shift
    rm -rf "$folder" && cp -r "$E2E_DIR/good" "$folder"
    sed -E -i "$edit" "$folder/picky.yaml"
    ! cmp -s "$folder/picky.yaml" "$E2E_DIR/good/picky.yaml" || { echo "the edit changed nothing: $edit"; return 1; }
    run -3 "$RESILOG" validate -f "$folder"
    run -3 "$RESILOG" run -f "$folder" --data "$BATS_TEST_TMPDIR/never" $(kubeconfig_options good) --log-format text
    for pattern; do
        [[ $output == *"$pattern"* ]] || { echo "no \"$pattern\" in: $output"; return 1; }
    done
    [ ! -e "$BATS_TEST_TMPDIR/never" ]
}

@test "an unknown field is refused with its place and the nearest match" {
    refused 's/suspend: false/suspended: false/' picky.yaml:6:3 spec.suspended 'did you mean "suspend"'
    refused 's/nameSelector:/nameSelektor:/' picky.yaml:18: 'resources[0].filters.nameSelektor' 'did you mean "nameSelector"'
}

@test "a wrong kind, version, name, type, choice or reference is refused with its place" {
    refused 's/LiveSynchronization/LiveSyncronization/' picky.yaml:2:1 'did you mean "LiveSynchronization"'
    refused 's/v1alpha1/v1beta1/' picky.yaml:1:1 'automation.astronetes.io/v1alpha1'
    refused 's/name: picky/name: Picky_One/' picky.yaml:3: metadata.name Picky_One
    refused 's/suspend: false/suspend: maybe/' picky.yaml:6:3 spec.suspend maybe 'true or false'
    refused 's/version: v1$/version: 1/' picky.yaml:14: 'resources[0].version' string
    refused 's/copy: "yes"/copy: {}/' picky.yaml:17: matchLabels.copy string
    refused 's/plugin: .*/plugin: objects/' picky.yaml:5:3 spec.plugin kubernetes-objects-to-kubernetes
    refused 's/sourceName: .*/sourceName: via-sourze/' picky.yaml:8:5 spec.config.sourceName 'did you mean "via-source"'
}

@test "a wrong pattern or patch is refused with its place" {
    refused 's/\^c/(c/' picky.yaml:19: 'regex[0]' parenthesis
    refused 's/op: replace/op: repalce/' picky.yaml:22: 'patch[0].op' 'did you mean "replace"'
    refused 's#path: /data#path: data#' 'patch[0].path' data/a
    refused '/value: /d' 'patch[0]' value
}

@test "text that is no YAML is refused with its place" {
    refused 's/^  config:/\tconfig:/' picky.yaml:7:1 tab
    refused 's/suspend: false/suspend: false\n  suspend: true/' picky.yaml:7:3 suspend twice
    refused '1s/.*/{"apiVersion": /' picky.yaml
}

@test "a missing file, an empty folder, a wrong kubeconfig and a wrong option are refused" {
    run -3 "$RESILOG" run -f "$BATS_TEST_TMPDIR/no-such" --data "$BATS_TEST_TMPDIR/never"
    [[ $output == *no-such* ]]
    mkdir "$BATS_TEST_TMPDIR/empty"
    run -3 "$RESILOG" run -f "$BATS_TEST_TMPDIR/empty" --data "$BATS_TEST_TMPDIR/never"
    run -3 "$RESILOG" run -f "$E2E_DIR/good" --data "$BATS_TEST_TMPDIR/never"
    [[ $output == *via-source-kubeconfig*--kubeconfig* ]]
    printf 'apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: "ftp://x"}}]\nusers: [{name: u, user: {token: MARKER-kubeconfig}}]\ncontexts: [{name: c, context: {cluster: a, user: u}}]\ncurrent-context: c\n' \
        >"$BATS_TEST_TMPDIR/wrong"
    run -3 "$RESILOG" run -f "$E2E_DIR/good" --data "$BATS_TEST_TMPDIR/never" --kubeconfig via-source="$BATS_TEST_TMPDIR/wrong" \
        --kubeconfig via-destination="$BATS_TEST_TMPDIR/wrong"
    [[ $output == *wrong:3:* && $output != *MARKER* ]]
    run -3 "$RESILOG" run -f "$E2E_DIR/good" --data "$BATS_TEST_TMPDIR/never" --kubeconfig via-sourse="$(kube_config source)" \
        --log-format text
    [[ $output == *'did you mean "via-source"'* ]]
    run -2 "$RESILOG" run --dta x
    [[ $output == *'did you mean --data'* ]]
    run -2 "$RESILOG" no-such-command
    run -3 "$RESILOG" status --data "$BATS_TEST_TMPDIR/never"
    [ ! -e "$BATS_TEST_TMPDIR/never" ]
}

@test "of several problems all are told" {
    rm -rf "$BATS_TEST_TMPDIR/edited" && cp -r "$E2E_DIR/good" "$BATS_TEST_TMPDIR/edited"
    sed -E -i 's/suspend: false/suspend: maybe/; s/op: replace/op: repalce/; s/\^c/(c/' "$BATS_TEST_TMPDIR/edited/picky.yaml"
    run -3 "$RESILOG" validate -f "$BATS_TEST_TMPDIR/edited"
    [[ $output == *:6:3*:19:*:22:* ]]
}

@test "a wrong command line is refused with what there is" {
    local words
    run -2 --separate-stderr "$RESILOG" log
    [[ $stderr == *"log show, log verify"* ]]
    run -2 --separate-stderr "$RESILOG" holds forever
    [[ $stderr == *'"holds forever"; there are: holds ls'* ]]
    run -2 --separate-stderr "$RESILOG" statsu
    [[ $stderr == *'did you mean "status"'* ]]
    run -0 "$RESILOG" help log show
    [[ $output == "Usage: resilog log show "* ]]
    run -2 "$RESILOG" help nothing
    for words in status "holds ls" preimages "log show" "log verify"; do
        run -2 "$RESILOG" $words --data ""
        [[ $output == *"give --data DIR"* ]]
    done
    run -2 "$RESILOG" log show --data "$BATS_TEST_TMPDIR" --op ""
    [[ $output == *"there are put"* ]]
}

@test "files without a synchronization get a warning, a List without a list an error" {
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n' >"$BATS_TEST_TMPDIR/s.yaml"
    run -0 "$RESILOG" validate -f "$BATS_TEST_TMPDIR/s.yaml"
    [[ $output == *"no LiveSynchronization"*"0 synchronizations, 0 errors, 1 warning" ]]
    printf 'apiVersion: v1\nkind: List\nitems: 5\n' >"$BATS_TEST_TMPDIR/s.yaml"
    run -3 "$RESILOG" validate -f "$BATS_TEST_TMPDIR/s.yaml"
    [[ $output == *":3:1: items: must be a list"*"0 synchronizations, 1 error, 0 warnings" ]]
}

@test "what run says as JSON is JSON, also where it does not start" {
    rm -rf "$BATS_TEST_TMPDIR/edited" && cp -r "$E2E_DIR/good" "$BATS_TEST_TMPDIR/edited"
    sed -E -i 's/suspend: false/suspend: maybe/' "$BATS_TEST_TMPDIR/edited/picky.yaml"
    run -3 "$RESILOG" run -f "$BATS_TEST_TMPDIR/edited" --data "$BATS_TEST_TMPDIR/never" $(kubeconfig_options good) --log-format json
    [ "$(json 'd["resource"]["path"]' <<<"${lines[0]}")" = spec.suspend ]
    [ "$(json 'd["msg"] + ": " + d["error"]' <<<"${lines[-1]}")" = "nothing was started: 1 error in the resources" ]
    echo "a file, not a folder" >"$BATS_TEST_TMPDIR/file"
    run "$RESILOG" run -f "$E2E_DIR/good" --data "$BATS_TEST_TMPDIR/file" $(kubeconfig_options good) --log-format json
    [ "$(json 'd["msg"]' <<<"${lines[-1]}")" = "nothing was started" ]
}

# --- servers that refuse

mode() { # CLUSTER MODE
    echo "$2" >"$E2E_DIR/via-$1/mode"
}
make() { # NAME
    k source create configmap "$1" --from-literal=a=0 --from-literal=b=2
    k source label configmap "$1" copy=yes
}
arrived() { # NAME
    [ "$(k destination get configmap "$1" -o 'jsonpath={.data.a}{.data.b}{.metadata.labels.copy}')" = 12yes ]
}
cpu_ticks() { # NAME
    local stat
    stat=$(cat "/proc/$(proc_pid "$1")/stat")
    set -- ${stat##*) }
    echo $((${12} + ${13}))
}
# quiet NAME SYNC: between two statuses, which are 5 s apart, it uses less than a tenth of a core.
quiet() {
    local before ticks
    before=$(status "$1" "$2" updated)
    newer() { [[ $(status "$1" "$2" updated) > $3 ]]; }
    wait_until 20 newer "$1" "$2" "$before"
    before=$(status "$1" "$2" updated)
    ticks=$(cpu_ticks "$1")
    wait_until 20 newer "$1" "$2" "$before"
    ticks=$(($(cpu_ticks "$1") - ticks))
    [ "$ticks" -lt $(($(getconf CLK_TCK) / 2)) ] || { echo "$ticks ticks in 5 s"; return 1; }
}
# stated MODE TEXT: status says what the destination answers, and few requests are sent meanwhile.
stated() {
    mode destination "$1"
    wait_until 60 status_has good picky lastError "*$2*"
    [ "$(grep -c "^$1 " "$E2E_DIR/via-destination/requests")" -lt 30 ]
}
cleared() {
    wait_until 60 status_is good picky lastError ""
    wait_until 30 status_is good picky phase Live
}

@test "D61 D62 D64 a source that refuses, or answers nonsense, at the start is stated, and followed as soon as it answers" {
    make cm-first
    local mode
    run_start good
    for mode in 401 403 429 500 nonsense; do
        mode source $mode
        run_stop good
        run_start good
        wait_until 30 status_has good picky lastError "source default/via-source: ?*"
        [ "$(status good picky phase)" != Live ]
        [ "$(status good picky lagSeconds)" = null ]
        quiet good picky
    done
    mode source pass
    wait_until 60 arrived cm-first
    cleared
}

@test "D61 D62 D64 a destination that fails, throttles, refuses or answers nonsense is stated, and gets everything when it answers" {
    mode destination 500
    make cm-refused
    stated 500 "destination default/via-destination: *InternalError"
    stated nonsense "HTTP 200"
    stated 429 TooManyRequests
    stated 403 Forbidden
    stated 401 "destination default/via-destination: *Unauthorized"
    quiet good picky
    run ! arrived cm-refused
    mode destination pass
    wait_until 60 arrived cm-refused
    cleared
}

@test "a destination that is away is stated, and written to as soon as it is back" {
    proc_stop proxy-destination KILL
    make cm-away
    wait_until 30 status_is good picky phase Waiting
    wait_until 30 status_has good picky lastError "destination default/via-destination: *refused*"
    quiet good picky
    local port
    port=$(sed -n 's/.*127.0.0.1:\([0-9]*\).*/\1/p' "$E2E_DIR/via-destination/kubeconfig")
    proc_start proxy-destination "$ROOT/tests/e2e/proxy.py" "$(kube_config destination)" "$E2E_DIR/via-destination" "$port"
    wait_until 60 arrived cm-away
    cleared
    run_stop good
}

# --- a full disk

@test "on a full disk intake pauses with a message, and goes on by itself when there is room" {
    unshare -rm true 2>/dev/null || skip "no user namespaces here"
    local disk=$E2E_DIR/disk root i
    mkdir "$disk"
    cat >"$E2E_DIR/on-small-disk" <<-SCRIPT
	#!/bin/sh
	mount -t tmpfs -o size=640m tmpfs "$disk" && exec "\$@"
	SCRIPT
    chmod +x "$E2E_DIR/on-small-disk"
    declare_clusters full source destination
    declare_sync full filling source destination <<<'- {version: v1, resource: secrets}'
    DATA=$disk/data RUN_UNDER="unshare -rm $E2E_DIR/on-small-disk" run_start full
    k source create secret generic before --from-literal=a=MARKER-1
    there() { k destination get secret "$1"; }
    wait_until 30 there before
    root=/proc/$(proc_pid full)/root$disk
    dd if=/dev/zero of="$root/filler" bs=1M status=none 2>/dev/null || :
    [ -s "$root/filler" ]
    for i in $(seq 330); do
        printf '%s /api/v1/namespaces/default/secrets/big %s\n' "$([ "$i" = 1 ] && echo POST || echo PUT)" "$i"
    done | sed 's#POST \(.*\)/big#POST \1#' | python3 -c '
import base64, random, sys
r = random.Random(5)
for line in sys.stdin:
    method, path, number = line.split()
    value = base64.b64encode(r.randbytes(900 * 1024)).decode()
    print(method, path, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"big\"},\"data\":{\"a\":\"%s\"}}" % value)' |
        "$ROOT/tests/e2e/send.py" "$(kube_config source)"
    wait_until 60 says full "no room"
    k source create secret generic while-full --from-literal=a=MARKER-1
    proc_alive full
    rm "$root/filler"
    wait_until 90 there while-full
    wait_same 60 source destination --resource /v1/secrets --namespaces default --least 3
    "$RESILOG" log verify --data "$root/data"
    run_stop full
}

# --- a damaged log

# flip FROM TO N: copies a file with one bit changed, in eight tries a page; false behind its end.
flip() {
    cp --remove-destination "$1" "$2"
    chmod u+w "$2"
    python3 -c '
import random, sys
path, number = sys.argv[1], int(sys.argv[2])
page = number // 8
data = bytearray(open(path, "rb").read())
if page * 4096 >= len(data) or not any(data[page * 4096:]):
    sys.exit(1)
at = page * 4096 + random.Random(number).randrange(4096)
data[at] ^= 1 << at % 8
open(path, "wb").write(data)' "$2" "$3"
}

@test "a damaged log is refused with its first bad offset, and what is intact stays readable" {
    local file n code bad found=0 intact=0
    run -0 "$RESILOG" log verify --data "$E2E_DIR/good.data"
    cp -r "$E2E_DIR/good.data" "$E2E_DIR/damaged.data"
    file=$(ls "$E2E_DIR"/damaged.data/logs/*/s-*.mdb | tail -n 1)
    # Bits of every page in turn: each flip is found, or changes nothing that is read.
    "$RESILOG" log show --data "$E2E_DIR/damaged.data" --all -o jsonl --show-secrets >"$E2E_DIR/sound.jsonl"
    cp "$file" "$E2E_DIR/sound.mdb"
    for ((n = 0; n < 160; n++)); do
        flip "$E2E_DIR/sound.mdb" "$file" "$n" || break
        code=0
        "$RESILOG" log verify --data "$E2E_DIR/damaged.data" >"$E2E_DIR/verify" 2>&1 || code=$?
        if [ "$code" = 0 ]; then
            "$RESILOG" log show --data "$E2E_DIR/damaged.data" --all -o jsonl --show-secrets | cmp - "$E2E_DIR/sound.jsonl"
            continue
        fi
        [ "$code" = 5 ] || { echo "flip $n: exit code $code"; cat "$E2E_DIR/verify"; return 1; }
        found=$((found + 1))
        code=0
        "$RESILOG" log show --data "$E2E_DIR/damaged.data" --all >/dev/null 2>&1 || code=$?
        [ "$code" = 5 ] || { echo "flip $n: log verify finds it, log show ends with $code"; return 1; }
        bad=$(sed -n 's/.*the first bad offset is \([0-9]*\).*/\1/p' "$E2E_DIR/verify")
        [ -n "$bad" ] || { echo "flip $n: no offset is named"; cat "$E2E_DIR/verify"; return 1; }
        [ "$bad" -gt "$intact" ] && intact=$bad && cp "$file" "$E2E_DIR/worst.mdb"
    done
    echo "# $found of $n flipped bytes were found by log verify" >&3
    [ "$found" -gt 3 ]
    # What stands before the first bad offset can still be read.
    [ "$intact" -gt 2 ]
    cp "$E2E_DIR/worst.mdb" "$file"
    run -0 "$RESILOG" log show --data "$E2E_DIR/damaged.data" --until "offset:$intact" --all -o jsonl
    [ "${#lines[@]}" = $((intact - 1)) ]
    run -5 "$RESILOG" log show --data "$E2E_DIR/damaged.data" --all
}

@test "run on a damaged log is stated with the offset, and nothing is written" {
    cp -r "$E2E_DIR/good" "$E2E_DIR/damaged"
    cp "$E2E_DIR/good.clusters" "$E2E_DIR/damaged.clusters"
    run_start damaged
    wait_until 30 status_is damaged picky phase Failed
    [[ $(status damaged picky lastError) == *offset* ]]
    quiet damaged picky
    [ "$(grep -c '"type":"create"\|"type":"update"' "$E2E_DIR/damaged.log")" = 0 ]
    run_stop damaged
}

# --- descriptors and pipes

@test "where standard descriptors are closed, no file of the data folder takes their place" {
    local fd
    proc_start closed bash -c 'exec "$@" <&- >&- 2>&-' bash "$RESILOG" run -f "$E2E_DIR/good" --data "$E2E_DIR/closed.data" \
        $(kubeconfig_options good)
    recorded() { "$RESILOG" log show --data "$E2E_DIR/closed.data" --all | grep -q sync-end; }
    wait_until 30 recorded
    for fd in 0 1 2; do
        [ "$(readlink "/proc/$(proc_pid closed)/fd/$fd")" = /dev/null ]
    done
    proc_stop closed TERM 40
    [ ! -s "$E2E_DIR/closed.data/LOCK" ]
    run -1 bash -c '"$@" >&-' bash "$RESILOG" version
    [[ $output == *"standard output"* ]]
}

@test "a pipe is read once, and a reload that is asked for too early or in vain ends nothing" {
    local pid
    mkfifo "$E2E_DIR/piped"
    cp "$E2E_DIR/good.clusters" "$E2E_DIR/piped.clusters"
    run_start piped
    pid=$(proc_pid piped)
    holds_hangups() { grep -q '^SigBlk:.*[13579bdf]$' "/proc/$pid/status"; }
    wait_until 10 holds_hangups
    proc_signal piped HUP # while it waits for the pipe
    cat "$E2E_DIR"/good/picky.yaml "$E2E_DIR"/good/clusters.yaml >"$E2E_DIR/piped"
    wait_until 20 says piped "from standard input or a pipe cannot be read again"
    touch "$E2E_DIR/piped"
    wait_until 30 status_is piped picky phase Live
    run_stop piped
}

@test "a checkpoint or a log that is damaged does not hide the others" {
    local data=$BATS_TEST_TMPDIR/data stranger=0123456789abcdef
    cp -r "$E2E_DIR/closed.data" "$data"
    cp "$data"/consumers/*.mdb "$data/consumers/$stranger.mdb"
    truncate -s 5000 "$data/consumers/$stranger.mdb"
    run -5 "$RESILOG" status --data "$data"
    [[ $output == *"$stranger.mdb"*"may be removed"* && $output == *picky* ]]
    run -5 --separate-stderr "$RESILOG" status --data "$data" -o json
    [ "$(json 'd[0]["name"]' <<<"$output")" = picky ]
    run -5 --separate-stderr "$RESILOG" holds ls --data "$data" -o json
    [ "$output" = "[]" ]
    cp -r "$data"/logs/* "$data/logs/$stranger"
    truncate -s 5000 "$data/logs/$stranger"/s-*.mdb
    run -0 "$RESILOG" log show --data "$data" --source via-source
    run -5 "$RESILOG" log show --data "$data"
    [[ $output == *"$stranger"* ]]
}

@test "a range outside the log, or that ends before it begins, is refused" {
    run -3 "$RESILOG" log show --data "$E2E_DIR/closed.data" --since offset:10 --until offset:5
    [[ $output == *"behind --until"* ]]
    run -3 "$RESILOG" log show --data "$E2E_DIR/closed.data" --since offset:1000000
    [[ $output == *"behind the log's end"* ]]
}

@test "a cursor file stays as it is where what it would skip was not written" {
    local show=("$RESILOG" log show --data "$E2E_DIR/closed.data" --all --cursor-file "$BATS_TEST_TMPDIR/cursor")
    run -1 bash -c '"$@" >/dev/full' bash "${show[@]}"
    [[ $output == *"standard output"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/cursor" ]
    mkfifo "$BATS_TEST_TMPDIR/pipe" # nobody reads it when the first line comes
    run -0 bash -c 'exec 8<>"$0" 9>"$0" 8<&- && exec "$@" >&9' "$BATS_TEST_TMPDIR/pipe" "${show[@]}"
    [ ! -e "$BATS_TEST_TMPDIR/cursor" ]
    run -0 "${show[@]}"
    [ -s "$BATS_TEST_TMPDIR/cursor" ]
    run -0 "${show[@]}"
    [ "$output" = "" ]
}

@test "no output of resilog holds a token, a key or a Secret" {
    run ! grep -rE 'MARKER-|admin-token' "$E2E_DIR"/good.log "$E2E_DIR"/full.log
    run ! grep -rlaE 'MARKER-token|MARKER-kubeconfig|admin-token' "$E2E_DIR/good.data"
}
