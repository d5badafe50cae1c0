#!/usr/bin/env bats
# The active-passive sample of the reference, unchanged, and every command on it.
# also under sanitizers
load lib
load resilog

KINDS="apps/v1/deployments /v1/services /v1/secrets rbac.authorization.k8s.io/v1/roles rbac.authorization.k8s.io/v1/rolebindings
    /v1/serviceaccounts networking.k8s.io/v1/ingresses"
NO_REPLICAS='apps/v1/deployments=[{"op":"replace","path":"/spec/replicas","value":0}]'

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    local cluster
    for cluster in cluster-1 cluster-2; do
        audit_flags "$cluster"
        kube_start "$cluster"
        k "$cluster" create namespace resilog-demo
        k "$cluster" label namespace resilog-demo sync=true
    done
    mkdir "$E2E_DIR/shop"
    cp "$ROOT"/tests/e2e/reference/8.2-{cluster-1,cluster-2,livesync}.yaml "$E2E_DIR/shop"
    printf 'cluster-1\ncluster-2\n' >"$E2E_DIR/shop.clusters"
    k cluster-1 apply -f "$ROOT/deploy/samples/shop.yaml"
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

equal() { # [OPTION...]
    same cluster-1 cluster-2 --resource $KINDS --namespaces resilog-demo --patch "$NO_REPLICAS" "$@"
}
shop() { # CLUSTER JSONPATH
    k "$1" -n resilog-demo get deployment shop -o "jsonpath=$2"
}
image_is() { # IMAGE
    [ "$(shop cluster-2 '{.spec.template.spec.containers[0].image}')" = "$1" ]
}

@test "validate finds nothing wrong with the sample and asks no server" {
    run -0 "$RESILOG" validate -f "$E2E_DIR/shop"
}

@test "all objects of the sample arrive" {
    run_start shop
    wait_until 60 equal --least 7
}

@test "Deployments arrive with no replicas, and the source keeps its own" {
    [ "$(shop cluster-1 '{.spec.replicas}')" = 3 ]
    [ "$(shop cluster-2 '{.spec.replicas}')" = 0 ]
}

@test "a change follows" {
    local begin=${EPOCHREALTIME/./}
    k cluster-1 -n resilog-demo set image deployment/shop shop=registry.example.com/shop:2.0
    wait_until 30 image_is registry.example.com/shop:2.0
    echo "# the change arrived within $(((${EPOCHREALTIME/./} - begin) / 1000)) ms, kubectl's own time included" >&3
    equal
}

@test "a delete follows" {
    k cluster-1 -n resilog-demo delete ingress shop
    gone() { ! k cluster-2 -n resilog-demo get ingress shop; }
    wait_until 30 gone
    equal --least 6
}

@test "what lies outside of the selected namespaces stays where it is" {
    k cluster-1 create secret generic elsewhere --from-literal=a=MARKER-elsewhere
    k cluster-1 -n resilog-demo create secret generic behind --from-literal=a=MARKER-b
    wait_until 30 equal --least 7
    run ! k cluster-2 get secret elsewhere
}

@test "status -o json gives the promised fields while run is running" {
    wait_until 30 status_is shop active-passive phase Live
    wait_until 30 status_is shop active-passive lagRecords 0
    "$RESILOG" status --data "$E2E_DIR/shop.data" -o json >"$E2E_DIR/status.json"
    json '"present" if all(f in d[0] for f in ("name", "phase", "source", "destination", "offset", "head", "lagRecords",
        "lagSeconds", "held", "lastError")) else d' <"$E2E_DIR/status.json" | grep -qx present
    [ "$(json 'd[0]["name"]' <"$E2E_DIR/status.json")" = active-passive ]
    [ "$(json 'd[0]["source"]' <"$E2E_DIR/status.json")" = default/cluster-1 ]
    [ "$(json 'd[0]["destination"]' <"$E2E_DIR/status.json")" = default/cluster-2 ]
    [ "$(json 'd[0]["held"]' <"$E2E_DIR/status.json")" = 0 ]
    [ "$(json 'd[0]["lastError"]' <"$E2E_DIR/status.json")" = "" ]
    json '"true" if d[0]["lagSeconds"] == 0 and d[0]["offset"] == d[0]["head"] > 10 else d[0]' <"$E2E_DIR/status.json" | grep -qx true
    run -0 "$RESILOG" status --data "$E2E_DIR/shop.data"
    [[ $output == *active-passive*Live* ]]
    run ! "$RESILOG" status --data "$E2E_DIR/shop.data" no-such-one
    [[ $output == *no-such-one* ]]
}

@test "log show prints what happened, in every format" {
    run -0 log_show shop
    [[ ${lines[0]} == TIME*OFFSET*OP*KEY*MANAGER* ]]
    [[ $output == *put*apps/deployments/resilog-demo/shop*kubectl* ]]
    [[ $output == *delete*networking.k8s.io/ingresses/resilog-demo/shop* ]]
    log_show shop -o json >"$E2E_DIR/log.json"
    log_show shop -o jsonl >"$E2E_DIR/log.jsonl"
    log_show shop -o yaml >"$E2E_DIR/log.yaml"
    [ "$(json len\(d\) <"$E2E_DIR/log.json")" = "$(wc -l <"$E2E_DIR/log.jsonl")" ]
    [ "$(grep -cx -- --- "$E2E_DIR/log.yaml")" = "$(wc -l <"$E2E_DIR/log.jsonl")" ]
    [ "$(json 'sorted({e["op"] for e in d})' <"$E2E_DIR/log.json")" = '["delete", "put"]' ]
    json '"dense" if [e["offset"] for e in d] == sorted({e["offset"] for e in d}) else "not"' <"$E2E_DIR/log.json" | grep -qx dense
    run -2 log_show shop -o xml
}

@test "log show selects by object, namespace, operation, time, offset and tail" {
    local name
    for name in deploy/shop Deployment/shop deployments.apps/shop deployment.apps/shop; do
        run -0 log_show shop -o json "$name"
        [ "$(json '{e["key"] for e in d} == {"apps/deployments/resilog-demo/shop"}' <<<"$output")" = true ]
    done
    run ! log_show shop gadget/shop
    [[ $output == *gadget* ]]
    run -0 log_show shop -o json --op delete
    [ "$(json '[e["key"] for e in d]' <<<"$output")" = '["networking.k8s.io/ingresses/resilog-demo/shop"]' ]
    run -0 log_show shop -o json -n resilog-demo
    [ "$(json 'len(d) > 7 and all("/resilog-demo/" in e["key"] for e in d)' <<<"$output")" = true ]
    run -0 log_show shop -o json --tail 2
    [ "$(json 'len(d)' <<<"$output")" = 2 ]
    local last time
    last=$(json 'd[-1]["offset"]' <<<"$output")
    time=$(json 'd[-1]["time"]' <<<"$output")
    [ "$(log_show shop -o json --until "offset:$last" | json "max(e['offset'] for e in d) < $last")" = true ]
    [ "$(log_show shop -o json --since "offset:$last" | json '[e["offset"] for e in d]')" = "[$last]" ]
    [ "$(log_show shop -o json --since "$time" | json "$last in [e['offset'] for e in d] and all(e['time'] >= '$time' for e in d)")" = true ]
    [ "$(log_show shop -o json --until "$time" | json "all(e['time'] < '$time' for e in d)")" = true ]
    [ "$(log_show shop -o json --since 1h | json len\(d\))" = "$(log_show shop -o json | json len\(d\))" ]
    [ "$(log_show shop -o json --since 2200-01-01T00:00:00Z)" = "[]" ]
    run -0 log_show shop --all
    [[ $output == *sync-begin* ]]
    [[ $output == *sync-end* ]]
    [[ $output == *@position/* ]]
    run ! log_show shop --since yesterday
    [[ $output == *yesterday* ]]
}

@test "log show masks Secrets unless it is told not to" {
    local password
    password=$(printf not-a-real-password | base64)
    run -0 log_show shop -o json Secret/shop-database
    [[ $output != *"$password"* && $output != *not-a-real-password* && $output == *'***'* ]]
    run -0 log_show shop -o yaml Secret/shop-database
    [[ $output != *"$password"* && $output != *not-a-real-password* ]]
    run -0 log_show shop -o json --show-secrets Secret/shop-database
    [[ $output == *"$password"* ]]
}

@test "log show reads backward, by pattern, by actor, and says what changed" {
    local forward backward
    forward=$(log_show shop -o json | json '[e["offset"] for e in d]')
    backward=$(log_show shop -o json -r | json '[e["offset"] for e in d][::-1]')
    [ "$forward" = "$backward" ]
    [ "$(log_show shop -o json -r --tail 2 | json '[e["offset"] for e in d][::-1]')" = "$(json 'd[-2:]' <<<"$forward")" ]
    [ "$(log_show shop -o json -g INGRESSES/resilog | json len\(d\))" = 0 ]
    [ "$(log_show shop -o json -g ingresses/resilog | json '{e["key"].split("/")[1] for e in d} == {"ingresses"}')" = true ]
    run ! log_show shop -g '('
    k cluster-1 -n resilog-demo scale deployment shop --replicas=7
    patched() { log_show shop -p deploy/shop | grep -qx '    /spec/replicas: [0-9]* -> 7'; }
    wait_until 20 patched
    [ "$(log_show shop -o json -p --tail 1 deploy/shop -g '"replicas":7' --op put |
        json 'any(c["path"] == "/spec/replicas" and c["value"] == 7 for c in d[0]["patch"])')" = true ]
    [ "$(log_show shop -o json --actor kubectl-client-side-apply | json '{e["manager"] for e in d} == {"kubectl-client-side-apply"}')" = true ]
    [ "$(log_show shop -o json --actor nobody)" = '[]' ]
    k cluster-1 -n resilog-demo patch secret shop-database --type=merge -p '{"stringData":{"password":"MARKER-another"}}'
    masked() { log_show shop -p Secret/shop-database | grep -qx '    /data/password: "\*\*\*" -> "\*\*\*"'; }
    wait_until 20 masked
    run -0 log_show shop -o json -g "$(printf MARKER-another | base64)"
    [ "$output" = '[]' ]
}

@test "log show goes on where a cursor stands" {
    run -0 log_show shop --show-cursor --tail 1
    [[ ${lines[-1]} == '-- cursor: default/cluster-1@'* ]]
    local cursor=${lines[-1]#-- cursor: }
    [ "$(log_show shop -o json --after-cursor "${cursor%@*}@$((${cursor#*@} - 3))" --until "offset:$((${cursor#*@} + 1))" -a | json len\(d\))" = 3 ]
    log_show shop -o json --cursor-file "$E2E_DIR/cursor" >"$E2E_DIR/first.json"
    k cluster-1 -n resilog-demo annotate deployment shop behind=cursor
    behind() { log_show shop -o json deploy/shop | grep -q '"behind":"cursor"'; }
    wait_until 20 behind
    log_show shop -o json --cursor-file "$E2E_DIR/cursor" >"$E2E_DIR/second.json"
    grep -q '"behind":"cursor"' "$E2E_DIR/second.json"
    [ "$(json 'min(e["offset"] for e in d)' <"$E2E_DIR/second.json")" -gt "$(json 'max(e["offset"] for e in d)' <"$E2E_DIR/first.json")" ]
    run -3 log_show shop --after-cursor "default/other@1"
    run -3 log_show shop --after-cursor "${cursor%@*}@99999999"
    run -2 log_show shop --cursor-file "$E2E_DIR/cursor" -f
}

@test "log show uses a pager and colours on a terminal only" {
    terminal() { script -qec "$(printf '%q ' env TERM=xterm "$@")" /dev/null; }
    run -0 terminal "RESILOG_PAGER=sed s/^/paged:/" "$RESILOG" log show --data "$E2E_DIR/shop.data" --op delete
    [[ $output == *paged:* && $output == *$'\e['* ]]
    run -0 terminal NO_COLOR=1 "$RESILOG" log show --data "$E2E_DIR/shop.data" --op delete --no-pager
    [[ $output != *paged:* && $output != *$'\e['* && $output == *delete* ]]
    RESILOG_PAGER='sed s/^/paged:/' run -0 log_show shop --op delete
    [[ $output != *paged:* && $output != *$'\e['* ]]
    run -0 terminal RESILOG_PAGER=true "$RESILOG" log show --data "$E2E_DIR/shop.data"
}

@test "log show -f goes on with what is appended" {
    proc_start follow "$RESILOG" log show --data "$E2E_DIR/shop.data" -f -o jsonl -n resilog-demo --tail 1
    wait_until 10 grep -q '"offset"' "$E2E_DIR/follow.log"
    k cluster-1 -n resilog-demo create secret generic followed --from-literal=a=MARKER-b
    wait_until 20 grep -q /secrets/resilog-demo/followed "$E2E_DIR/follow.log"
    proc_stop follow
}

@test "log verify and validate work while run is running" {
    run -0 "$RESILOG" log verify --data "$E2E_DIR/shop.data"
    [ -n "$output" ]
    run -0 "$RESILOG" validate -f "$E2E_DIR/shop"
}

@test "a second instance on the same data is refused" {
    run -4 "$RESILOG" run -f "$E2E_DIR/shop" --data "$E2E_DIR/shop.data" $(kubeconfig_options shop)
    [[ $output == *"$E2E_DIR/shop.data"* ]]
    wait_until 30 equal
}

@test "only the owner can read the data folder" {
    [ "$(stat -c %a "$E2E_DIR/shop.data")" = 700 ]
    [ -z "$(find "$E2E_DIR/shop.data" -type f ! -perm 600 ! -perm 400)" ]
    [ -z "$(find "$E2E_DIR/shop.data" -type d ! -perm 700)" ]
    [ -n "$(find "$E2E_DIR/shop.data" -name 's-*.mdb' -perm 600)" ]
}

@test "SIGTERM commits and ends with 0, and then status says Stopped" {
    wait_until 30 equal
    run_stop shop
    [ "$(status shop active-passive phase)" = Stopped ]
    [ "$(status shop active-passive lagRecords)" = 0 ]
    run -0 "$RESILOG" log verify --data "$E2E_DIR/shop.data"
    run -0 log_show shop --tail 1
    [[ $output == *put* ]]
}

@test "a second start on the same data lists nothing and writes nothing" {
    local lists scans writes
    lists=$(listings cluster-1)
    scans=$(requests cluster-2 list)
    writes=$(requests cluster-2 'create|update|patch|delete')
    [ "$lists" -gt 5 ]
    [ "$scans" -gt 0 ]
    [ "$writes" -gt 5 ]
    run_start shop --log-level debug
    k cluster-1 -n resilog-demo create secret generic after-restart --from-literal=a=MARKER-b
    wait_until 30 equal --least 9
    [ "$(listings cluster-1)" = "$lists" ]
    [ "$(requests cluster-2 list)" = "$scans" ]
    [ "$(requests cluster-2 'create|update|patch|delete')" = $((writes + 1)) ]
    says shop '"msg":"rlog append"'
    run_stop shop
}

@test "each message about an object has the fields of the reference" {
    local line
    line=$(grep '"msg":"object read from cluster","process":{"id":"eventslistener"}' "$E2E_DIR/shop.log" | grep -m 1 '"name":"after-restart"')
    [ "$(json '[d["level"], *d["sourceCluster"].values(), d["event"]["type"], d["lastUpdate"]["manager"]]' <<<"$line")" = \
        '["debug", "cluster-1", "default", "create", "kubectl-create"]' ]
    line=$(grep '"msg":"object created in cluster"' "$E2E_DIR/shop.log" | grep -m 1 '"name":"after-restart"')
    [ "$(json '[*d["process"].values(), *d["destinationCluster"].values(), *d["lastUpdate"]]' <<<"$line")" = \
        '["synchronizer", "default/active-passive", "cluster-2", "default", "time", "manager"]' ]
    [ "$(json '[*d["sourceObject"]] == [*d["destinationObject"]] and [*d["sourceObject"]]' <<<"$line")" = \
        '["apiGroup", "apiVersion", "name", "namespace", "resource", "resourceVersion", "uid"]' ]
    [ "$(json 'd["sourceObject"]["uid"] != d["destinationObject"]["uid"]' <<<"$line")" = true ]
}

@test "the sources of a copy say whose it is, and resilog wrote nothing into the source" {
    [[ $(shop cluster-2 '{.metadata.annotations.sync\.resilog\.io/owner}') == "v1 "*" apps/deployments/resilog-demo/shop" ]]
    [ "$(requests cluster-1 'create|update|patch|delete')" = 0 ]
}

@test "no message of resilog holds a token, a key or a Secret" {
    local secret
    for secret in admin-token not-a-real-password MARKER-elsewhere "$(printf not-a-real-password | base64)"; do
        run ! grep -F "$secret" "$E2E_DIR/shop.log" "$E2E_DIR/status.json" "$E2E_DIR/log.json" "$E2E_DIR/log.yaml"
    done
}
