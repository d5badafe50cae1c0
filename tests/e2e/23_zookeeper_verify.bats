#!/usr/bin/env bats
# What differs between two real ensembles, and what a run would do about it: `verify` and `run --once --dry-run`.
load lib
load resilog

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    zk_start one
    zk_start two
    mkdir "$E2E_DIR/zk"
    declare_databases "$(zk_servers one)" "$(zk_servers two)" >"$E2E_DIR/zk/databases.yaml"
    declare_copy Synchronization copy /app >"$E2E_DIR/zk/copy.yaml"
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

declare_databases() { # SERVERS-OF-ONE SERVERS-OF-TWO
    local name
    for name in one two; do
        printf -- '---\napiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: %s}\n' "$name"
        printf 'spec: {zookeeper: {client: {servers: ["%s"]}}}\n' "$1"
        shift
    done
}
declare_copy() { # KIND NAME ROOT [FIELD...]
    cat <<-SYNC
	apiVersion: automation.astronetes.io/v1alpha1
	kind: $1
	metadata: {name: $2}
	spec:
	  plugin: zookeeper-to-zookeeper-nodes
	  config:
	    sourceName: one
	    destinationName: two
	    rootPath: $3
	    createRootPath: true
	    excludePathRegexp: /tmp$
	$(printf '    %s\n' "${@:4}" | sed '/^ *$/d')
	SYNC
}
verify() { # OPTION...: its lines in $output, its summary in $stderr
    run --separate-stderr "$RESILOG" verify -f "$E2E_DIR/zk" "$@"
}
copy_once() {
    "$RESILOG" run --once -f "$E2E_DIR/zk" --data "$E2E_DIR/data" 2>>"$E2E_DIR/run.log"
}
both() { # COMMAND...
    zk one "$@"
    zk two "$@"
}

@test "a tree that is missing is told with all its nodes, and nothing differs once it was copied" {
    zk one create /app root
    zk one create /app/a 1
    zk one create /app/q
    zk one raise 3 /app/q
    zk one create /app/tmp x
    verify
    [ "$status" -eq 1 ]
    [ "$output" = $'missing /app\nmissing /app/a\nmissing /app/q' ]
    [ "$stderr" = "default/copy: 3 differences in 3 nodes, 0 alike, 0 in the destination alone" ]
    copy_once
    verify copy
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$stderr" = "default/copy: 0 differences in 0 nodes, 3 alike, 0 in the destination alone" ]
}

@test "data, ACL and sequence are compared, and what the destination has alone is no difference" {
    zk one set /app/a 2
    zk one raise 5 /app/q
    zk one setacl /app/q r:world:anyone,cdrwa:ip:127.0.0.1
    zk two create /app/extra x
    verify default/copy
    [ "$status" -eq 1 ]
    [ "$output" = $'data /app/a\nacl /app/q\nsequence /app/q: source 8, destination 3' ]
    [[ $stderr == *"3 differences in 2 nodes, 1 alike, 1 in the destination alone" ]]
    run -2 bash -c '"$0" verify -f "$1" >/dev/full' "$RESILOG" "$E2E_DIR/zk"
    [[ $output == *"standard output: "* ]]
    verify --extra -o json
    [ "$status" -eq 1 ]
    [ "$(json '[x["difference"] + x["path"] for x in d]' <<<"$output")" = '["data/app/a", "extra/app/extra", "acl/app/q", "sequence/app/q"]' ]
    [ "$(json '[d[3]["source"], d[3]["destination"]]' <<<"$output")" = '[8, 3]' ]
    copy_once
    verify
    [ "$status" -eq 0 ]
    verify --extra
    [ "$status" -eq 0 ]
    [ "$output" = 'extra /app/extra' ]
    verify -o json
    [ "$output" = '[]' ]
}

@test "the templates of plans and live synchronizations are compared, and one of several is named" {
    mkdir "$E2E_DIR/several"
    cp "$E2E_DIR/zk/databases.yaml" "$E2E_DIR/several"
    declare_copy LiveSynchronization live /app >"$E2E_DIR/several/live.yaml"
    {
        printf 'apiVersion: automation.astronetes.io/v1alpha1\nkind: SynchronizationPlan\nmetadata: {name: plan}\n'
        printf 'spec:\n  schedule: "0 * * * *"\n  template:\n'
        declare_copy Synchronization plan /app | sed -n '/^spec:/,$s/^/    /p'
    } >"$E2E_DIR/several/plan.yaml"
    run -2 "$RESILOG" verify -f "$E2E_DIR/several"
    [[ $output == *"give its NAME: default/live, default/plan"* ]]
    run -0 "$RESILOG" verify -f "$E2E_DIR/several" live
    run -0 "$RESILOG" verify -f "$E2E_DIR/several" plan
    run -2 "$RESILOG" verify -f "$E2E_DIR/several" other
    [[ $output == *'no synchronization "other"'* ]]
}

@test "a path that is too long for a log is told, however long it is" {
    local name
    name=$(printf '%070000d' 0)
    zk one create "/app/$name" x
    verify
    [ "$status" -eq 2 ]
    [[ $output == "unreadable /app/$name: source: the path is none that can be copied" ]]
    verify -o json
    [ "$(json '[len(x["path"]) for x in d]' <<<"$output")" = '[70005]' ]
    run -0 --separate-stderr "$RESILOG" run --once --dry-run -f "$E2E_DIR/zk" --data "$E2E_DIR/data"
    [[ $output == *"leave /app/$name: it cannot be read"* ]]
    zk one delete "/app/$name"
    zk two raise 1 /app # as that node did there
}

@test "what cannot be read is trouble, not a difference" {
    zk one create /app/closed x w:world:anyone
    zk two create /app/closed x w:world:anyone
    verify
    [ "$status" -eq 2 ]
    [[ $output == "unreadable /app/closed: source: not authorised" ]]
    [[ $stderr == *"1 cannot be read" ]]
    both delete /app/closed
    both create /app/closed x r:world:anyone,cdrwa:digest:bob:hash
    verify
    [ "$status" -eq 2 ]
    [[ $stderr == *"2 ACLs not compared, their hashes are hidden"* ]]
    both delete /app/closed
}

dry_run() { # OPTION...: its lines in $output, without the heading in ${lines[0]}
    run --separate-stderr "$RESILOG" run --once --dry-run -f "$E2E_DIR/zk" "$@"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "Synchronization default/copy, default/one to default/two:" ]
}
state() { # what a dry run must not change
    find "$E2E_DIR/data" -type f -exec sha256sum {} +
    zk two dump /app
}

@test "a dry run says what a run would do, changes nothing, and the run does it" {
    dry_run --data "$E2E_DIR/data"
    [[ ${lines[1]} == "nothing to do; "* ]]
    zk one create /app/b new
    zk one create /app/gone x
    copy_once
    state >"$E2E_DIR/before"
    zk one set /app/a 3
    zk one setacl /app/b r:world:anyone,cdrwa:ip:127.0.0.1
    zk one raise 2 /app/q
    zk one create /app/c new
    zk one delete /app/gone
    dry_run --data "$E2E_DIR/data"
    [ "${output#*$'\n'}" = $'set /app/a\nacl /app/b\ncreate /app/c\ndelete /app/gone\nraise the sequence of /app/q by 2' ]
    state | diff "$E2E_DIR/before" -
    dry_run
    [[ $output != *delete* ]]
    dry_run --data "$E2E_DIR/not-there"
    [[ $output != *delete* ]]
    [ ! -e "$E2E_DIR/not-there" ]
    copy_once
    run -1 zk two get /app/gone
    dry_run --data "$E2E_DIR/data"
    [[ ${lines[1]} == "nothing to do; "* ]]
    run -2 "$RESILOG" run --dry-run -f "$E2E_DIR/zk"
    [[ $output == *"--dry-run: only with --once"* ]]
}

@test "a dry run says when the guard would hold the deletions, and the run holds them" {
    zk one multi 12 /app
    copy_once
    local n
    for n in {0..11}; do zk one delete "$(printf '/app/n%07d' "$n")"; done
    dry_run --data "$E2E_DIR/data"
    [ "$(grep -c '^delete /app/n' <<<"$output")" -eq 12 ]
    [[ $output == *"hold all 12 deletions: more than 10 of "*"resilog run --allow-prune default/copy" ]]
    dry_run --data "$E2E_DIR/data" --allow-prune copy
    [[ $output != *hold* ]]
    run -1 copy_once
    verify
    [[ $stderr == *" 13 in the destination alone" ]]
}

@test "Kubernetes objects, files with errors and wrong options are trouble" {
    mkdir "$E2E_DIR/kube"
    declare_clusters kube a b
    declare_sync kube objects a b <<<'- {version: v1, resource: configmaps}'
    printf 'apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]\ncontexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\n' >"$E2E_DIR/kubeconfig"
    run -2 "$RESILOG" verify -f "$E2E_DIR/kube" --kubeconfig "a=$E2E_DIR/kubeconfig" --kubeconfig "b=$E2E_DIR/kubeconfig"
    [[ $output == *"verify compares znodes"*resyncPeriod* ]]
    run -2 "$RESILOG" verify -f "$E2E_DIR/kube" --kubeconfig "a=$E2E_DIR/kubeconfig" --kubeconfig "b=$E2E_DIR/kubeconfig" objects
    [[ $output == *"default/objects: verify compares znodes"* ]]
    run -2 "$RESILOG" verify -f "$E2E_DIR/nothing-there"
    run -2 "$RESILOG" verify
    run -2 "$RESILOG" verify -f "$E2E_DIR/zk" -o yaml
}

runs_resilog() { # PROCESS
    [ "$(readlink "/proc/$(proc_pid "$1")/exe")" = "$(readlink -f "$RESILOG")" ]
}

@test "an ensemble that does not answer is trouble after a while, and Ctrl-C does not wait for it" {
    kill -s STOP "$(cat "$E2E_DIR/two/1.pid")"
    proc_start waiting env --default-signal=INT "$RESILOG" verify -f "$E2E_DIR/zk"
    wait_until 5 runs_resilog waiting
    proc_stop waiting INT 5
    verify
    zk_kill two 1
    [ "$status" -eq 2 ]
    [[ $stderr == *"destination default/two: no answer within 10 s"* ]]
}
