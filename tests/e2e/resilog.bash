# What the tests of resilog itself share, over lib.bash: its resources, its processes, its answers.
# An instance NAME has its resources in $E2E_DIR/NAME/ and its data in $E2E_DIR/NAME.data; its messages are in $E2E_DIR/NAME.log.

# declare_clusters NAME CLUSTER...: the KubernetesClusters of an instance; each has the name of a cluster of kube_start.
declare_clusters() {
    local folder=$E2E_DIR/$1 cluster
    shift
    mkdir -p "$folder"
    printf '%s\n' "$@" >"$folder.clusters"
    for cluster; do
        printf -- '---\napiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesCluster\n'
        printf 'metadata: {name: %s}\nspec: {secretName: %s-kubeconfig}\n' "$cluster" "$cluster"
    done >"$folder/clusters.yaml"
}

# declare_sync NAME SYNC SOURCE DESTINATION [REPLICATION-FIELD...]: a LiveSynchronization; its entries come from standard input.
declare_sync() {
    cat >"$E2E_DIR/$1/$2.yaml" <<-SYNC
	apiVersion: automation.astronetes.io/v1alpha1
	kind: LiveSynchronization
	metadata: {name: $2}
	spec:
	  plugin: kubernetes-objects-to-kubernetes
	  suspend: ${SUSPEND:-false}
	  config:
	    sourceName: $3
	    destinationName: $4
	    replication:
	$(printf '      %s\n' "${@:5}" | sed '/^ *$/d')
	      resources:
	$(sed 's/^/        /')
	SYNC
}

kubeconfig_options() { # NAME
    local cluster
    while read -r cluster; do
        echo --kubeconfig "$cluster=$(kube_config "$cluster")"
    done <"$E2E_DIR/$1.clusters"
}

# run_start NAME [OPTION...]: resilog run in the background; a process of lib.bash with that name.
run_start() {
    local name=$1
    ! proc_alive "$name" || { echo "$name runs already" >&2; return 1; }
    [ -x "$RESILOG" ] || { echo "$RESILOG is not there: build it, or set RESILOG" >&2; return 1; }
    rm -f "$E2E_DIR/procs/$name.pid" "$E2E_DIR/$name.exit"
    (
        setsid ${RUN_UNDER:-} "$RESILOG" run -f "$E2E_DIR/$name" --data "${DATA:-$E2E_DIR/$name.data}" \
            $(kubeconfig_options "$name") "${@:2}" </dev/null >>"$E2E_DIR/$name.log" 2>&1 &
        echo "$! $(start_time_of $!)" >"$E2E_DIR/procs/$name.pid.new"
        mv "$E2E_DIR/procs/$name.pid.new" "$E2E_DIR/procs/$name.pid"
        code=0
        wait $! || code=$?
        echo "$code" >"$E2E_DIR/$name.exit"
    ) 3>&- 4>&- &
    disown $!
    wait_until 5 test -e "$E2E_DIR/procs/$name.pid"
}
# run_stop NAME: ends it by SIGTERM; fails unless it ends with 0 and without a word of a sanitizer.
run_stop() {
    proc_stop "$1" TERM 40
    wait_until 5 test -s "$E2E_DIR/$1.exit"
    [ "$(cat "$E2E_DIR/$1.exit")" = 0 ] || {
        echo "$1 ended with $(cat "$E2E_DIR/$1.exit"); its last messages:"
        tail -n 5 "$E2E_DIR/$1.log"
        return 1
    }
    clean_output "$1"
}
# run_kill NAME: ends it by SIGKILL.
run_kill() {
    proc_stop "$1" KILL
}
clean_output() { # NAME
    ! grep -E -A 30 'ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$E2E_DIR/$1.log"
}

# says NAME TEXT: its messages contain the text.
says() {
    grep -qF -- "$2" "$E2E_DIR/$1.log"
}

# json EXPRESSION: evaluates Python on the JSON of standard input, which is `d`; prints strings plainly.
json() {
    python3 -c 'import json, sys
d = json.load(sys.stdin)
r = eval(sys.argv[1])
print(r if isinstance(r, str) else json.dumps(r))' "$1"
}

# status NAME SYNC FIELD
status() {
    "$RESILOG" status --data "$E2E_DIR/$1.data" -o json "$2" | json "d[0]['$3']"
}
status_is() { # NAME SYNC FIELD VALUE
    [ "$(status "$1" "$2" "$3")" = "$4" ]
}
status_has() { # NAME SYNC FIELD PATTERN
    [[ $(status "$1" "$2" "$3") == $4 ]]
}

# log_show NAME OPTION...
log_show() {
    "$RESILOG" log show --data "$E2E_DIR/$1.data" "${@:2}"
}

# same SOURCE DESTINATION OPTION...: compare.py between two clusters.
same() {
    "$ROOT/tests/e2e/compare.py" "$(kube_config "$1")" "$(kube_config "$2")" "${@:3}"
}
# wait_same SECONDS SOURCE DESTINATION OPTION...: until they are equal; prints the differences when they do not become so.
wait_same() {
    wait_until "$1" same "${@:2}" || { same "${@:2}"; return 1; }
}

# Requests of resilog in an audit log, by verb: requests CLUSTER VERB-PATTERN (an extended regular expression).
requests() {
    grep -F '"userAgent":"resilog' "$E2E_DIR/$1.audit" | grep -cE "\"verb\":\"($2)\"" || :
}
# listings CLUSTER [PATH]: how often resilog listed, all or that path; a look at where the source stands (limit=1) is none.
listings() {
    grep -F '"userAgent":"resilog' "$E2E_DIR/$1.audit" | grep -F '"verb":"list"' | grep -F "${2:-}" | grep -cv 'limit=1"' || :
}
# written CLUSTER: a line for each write request of resilog, "verb path".
written() {
    grep -F '"userAgent":"resilog' "$E2E_DIR/$1.audit" | grep -E '"verb":"(create|update|patch|delete)"' |
        sed -E 's/.*"verb":"([a-z]+)".*/\1 &/; s/^([a-z]+) .*"requestURI":"([^"?]*).*/\1 \2/; s/^([a-z]+) .*"requestURI":"([^"?]*).*/\1 \2/'
}
# audit_flags CLUSTER: sets API_FLAGS so that this cluster's API server writes an audit log.
audit_flags() {
    cat >"$E2E_DIR/audit-policy.yaml" <<-POLICY
	apiVersion: audit.k8s.io/v1
	kind: Policy
	omitStages: [RequestReceived]
	rules: [{level: Metadata}]
	POLICY
    export API_FLAGS="--audit-policy-file=$E2E_DIR/audit-policy.yaml --audit-log-path=$E2E_DIR/$1.audit"
}

# What the tests plant in Secrets, tokens and keys: in clear, and in base64 by the letters it begins with (MARKER-, -----BEGIN).
SECRETS='MARKER-|TUFSS0VSL|admin-token|not-a-real-password|bm90LWEtcmVhbC1w|PRIVATE KEY|LS0tLS1CRUdJTi'

# told NAME: what the commands print about an instance; of Secrets in the log only names (without --show-secrets).
told() {
    local words source data=$E2E_DIR/$1.data
    for words in status "status -o json" "holds ls" "holds ls -o json"; do
        "$RESILOG" $words --data "$data" || :
    done
    while read -r source; do
        for words in "log verify" "log show --all --patch" "log show --all -o yaml" "log show --all -o jsonl"; do
            "$RESILOG" $words --data "$data" --source "$source" || :
        done
    done < <(cat "$E2E_DIR/$1.clusters" "$E2E_DIR/$1.databases" 2>/dev/null)
    [ ! -d "$E2E_DIR/$1" ] || "$RESILOG" validate -f "$E2E_DIR/$1" || : # a pipe is read once
}
# nothing_secret: at the end of each file; fails, and prints where, if anything planted is in the messages of an instance or in
# what is told of it.
nothing_secret() {
    local file name
    for file in "$E2E_DIR"/*.clusters; do
        [ -e "$file" ] || continue
        name=$(basename "$file" .clusters)
        told "$name" >"$E2E_DIR/$name.told.log" 2>&1
    done
    ! grep -aEoH ".{0,60}($SECRETS).{0,20}" "$E2E_DIR"/*.log
}

# last_words: in teardown(); after a failed test prints the last messages of every instance.
last_words() {
    local file name
    [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -z "${BATS_TEST_SKIPPED:-}" ] || return 0
    for file in "$E2E_DIR"/*.clusters; do
        name=$(basename "$file" .clusters)
        [ -s "$E2E_DIR/$name.log" ] || continue
        echo "-- the last messages of $name"
        tail -n 6 "$E2E_DIR/$name.log" | cut -c1-500
    done
}
