#!/usr/bin/env bats
# Minutes of churn of every kind, while every process is killed at random: both clusters end equal, and nothing is held.
# Part of tests/prove.sh, not of tests/run.sh. RESILOG_CHURN_SECONDS: how long (60 by default).
load ../lib
load ../resilog

KINDS="/v1/configmaps /v1/secrets /v1/services /v1/serviceaccounts apps/v1/deployments apps/v1/statefulsets apps/v1/daemonsets
    batch/v1/cronjobs networking.k8s.io/v1/ingresses networking.k8s.io/v1/networkpolicies
    rbac.authorization.k8s.io/v1/roles rbac.authorization.k8s.io/v1/rolebindings example.com/v1/widgets"
# What is ended, and how it comes back: the last word of a server's line is its part.
VICTIMS=(resilog resilog "source apiserver" "source etcd" "destination apiserver" "destination etcd" "destination controllers")

setup_file() {
    e2e_begin etcd kube-apiserver kube-controller-manager kubectl
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    kube_start destination controllers
    local cluster kind group version resource filter='filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: churn}}}'
    for cluster in source destination; do
        k "$cluster" create -f "$ROOT/tests/e2e/manifests/crds.yaml"
        k "$cluster" create namespace churn
    done
    declare_clusters long source destination
    for kind in $KINDS; do
        IFS=/ read -r group version resource <<<"$kind"
        echo "- {group: \"$group\", version: $version, resource: $resource, effects: allow, $filter}"
    done | declare_sync long churned source destination
}
setup() {
    e2e_setup
    SEED=${RESILOG_E2E_SEED:-$((EPOCHSECONDS % 100000))}
    RANDOM=$SEED
    SECONDS_OF_CHURN=${RESILOG_CHURN_SECONDS:-60}
}
teardown() {
    last_words
}
teardown_file() {
    e2e_end
}

strike() { # VICTIM: ends it, and lets it come back after a moment
    if [ "$1" = resilog ]; then
        run_kill long
        run_start long
    else
        kube_kill $1
        sleep "$((RANDOM % 4))" # how long it is away is part of the test: nothing is waited for
        kube_restart $1
    fi
}
revive_api_servers() { # one that lost its etcd for long may have ended
    local cluster
    for cluster in source destination; do k "$cluster" get --raw /readyz >/dev/null 2>&1 || kube_restart "$cluster" apiserver; done
}
nothing_held() {
    [ "$(status long churned held)" = 0 ]
}

@test "churn of every kind with every process killed at random ends equal, with nothing held" {
    echo "# seed $SEED (RESILOG_E2E_SEED=$SEED replays the choices), $SECONDS_OF_CHURN s" >&3
    proc_start churn "$ROOT/tests/e2e/churn.py" "$(kube_config source)" churn "$SEED" "$E2E_DIR/churn.stop" --all --names 20 \
        --most 1000000 --pause 0.02
    run_start long
    local end=$((EPOCHSECONDS + SECONDS_OF_CHURN)) strikes=0
    while [ "$EPOCHSECONDS" -lt "$end" ]; do
        sleep "$((1 + RANDOM % 8))" # the random moment itself
        strike "${VICTIMS[RANDOM % ${#VICTIMS[@]}]}"
        strikes=$((strikes + 1))
        revive_api_servers
    done
    touch "$E2E_DIR/churn.stop"
    wait_until 60 proc_gone churn
    rm -f "$E2E_DIR/procs/churn.pid"
    echo "# $strikes processes were ended; $(tail -n 1 "$E2E_DIR/churn.log"); $(status long churned head) events in the log" >&3
    wait_same 240 source destination --resource $KINDS --namespaces churn --effects --least 20
    wait_until 120 nothing_held
    wait_until 60 status_is long churned phase Live
    "$RESILOG" log verify --data "$E2E_DIR/long.data"
    run_stop long
}
