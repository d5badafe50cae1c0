#!/usr/bin/env bats
# The resources are edited while resilog runs: what changed takes effect, what did not goes on.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    audit_flags source
    kube_start source
    unset API_FLAGS
    kube_start destination
    local cluster
    for cluster in source destination; do
        k "$cluster" create namespace re
    done
    declare_clusters edit source destination
    maps <<<''
    cp "$(kube_config destination)" "$E2E_DIR/destination.kubeconfig"
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

# The synchronization of ConfigMaps; standard input: what follows the resource in its entry.
maps() {
    local more
    more=$(cat)
    declare_sync edit maps source destination <<<"- {version: v1, resource: configmaps$more}"
}
start() {
    run_start edit --kubeconfig "destination=$E2E_DIR/destination.kubeconfig"
}
value() { # CLUSTER NAME JSONPATH
    k "$1" -n re get configmap "$2" -o "jsonpath=$3" 2>/dev/null
}
is() { # WANT COMMAND...
    [ "$("${@:2}")" = "$1" ]
}
lists() {
    listings source '/api/v1/configmaps?'
}

@test "a changed patch reaches copies that are there already, without a request to the source" {
    sed -i '/^destination$/d' "$E2E_DIR/edit.clusters"
    start
    k source -n re create configmap a --from-literal=k=1
    k source -n re create configmap b --from-literal=k=1
    wait_until 30 is 1 value destination a '{.data.k}'
    wait_until 30 is 1 value destination b '{.data.k}'
    local before
    before=$(lists)
    maps <<<', transformation: {patch: [{op: add, path: /data/added, value: "yes"}]}'
    wait_until 15 is yes value destination a '{.data.added}'
    wait_until 15 is yes value destination b '{.data.added}'
    maps <<<''
    wait_until 15 is '' value destination a '{.data.added}'
    wait_until 15 is '' value destination b '{.data.added}'
    [ "$(lists)" = "$before" ]
    is 1 value destination a '{.data.k}'
}

@test "what a changed filter no longer selects is frozen, and follows again when it is selected again" {
    maps <<<', filters: {nameSelector: {regex: ["^a$"]}}'
    wait_until 15 says edit '"name":"b","namespace":"re"'
    k source -n re create configmap b --from-literal=k=2 --dry-run=client -o yaml | k source replace -f -
    k source -n re create configmap a --from-literal=k=2 --dry-run=client -o yaml | k source replace -f -
    wait_until 15 is 2 value destination a '{.data.k}'
    is 1 value destination b '{.data.k}'
    wait_until 15 status_is edit maps deselected 1
    maps <<<''
    wait_until 15 is 2 value destination b '{.data.k}'
    wait_until 15 status_is edit maps deselected 0
}

@test "a synchronization is suspended and goes on without a restart" {
    SUSPEND=true maps <<<''
    wait_until 15 status_is edit maps phase Suspended
    k source -n re create configmap late --from-literal=k=1
    recorded() { log_show edit ConfigMap/late | grep -q put; }
    behind() { [ "$(status edit maps lagRecords)" -gt 0 ]; }
    wait_until 15 recorded
    wait_until 15 behind # it knows that there is more, and does not go on
    is '' value destination late '{.data.k}'
    maps <<<''
    wait_until 15 is 1 value destination late '{.data.k}'
}

@test "a broken edit changes nothing, and says where it is wrong" {
    maps <<<', filters: {nameSelecter: {regex: ["^a$"]}}'
    wait_until 15 says edit 'what was running goes on as before'
    says edit "$E2E_DIR/edit/maps.yaml:"
    says edit 'nameSelector'
    k source -n re create configmap meanwhile --from-literal=k=1
    wait_until 15 is 1 value destination meanwhile '{.data.k}'
    maps <<<''
    wait_until 15 says edit 'the changed resources are in effect'
}

@test "a new synchronization starts; a removed one ends and leaves its copies" {
    k source -n re create secret generic s --from-literal=k=MARKER-v
    declare_sync edit secrets source destination <<<'- {version: v1, resource: secrets}'
    arrived() { k destination -n re get secret s >/dev/null 2>&1; }
    wait_until 20 arrived
    rm "$E2E_DIR/edit/secrets.yaml"
    wait_until 20 status_is edit secrets phase Stopped
    k destination -n re get secret s
    k source -n re delete secret s
    k source -n re create configmap after --from-literal=k=1
    wait_until 15 is 1 value destination after '{.data.k}'
    k destination -n re get secret s
}

@test "a kind that is recorded beside is listed at once, and copied nowhere" {
    lease() {
        printf 'apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: diary, namespace: re}\nspec: {holderIdentity: "%s"}\n' "$1"
    }
    puts() { log_show edit Lease/diary | grep -c put || :; }
    lease one | k source create -f -
    declare_sync edit maps source destination 'record: [{group: coordination.k8s.io, version: v1, resource: leases}]' \
        <<<'- {version: v1, resource: configmaps}'
    wait_until 15 is 1 puts
    lease two | k source replace -f -
    wait_until 15 is 2 puts
    k source -n re create configmap beside --from-literal=k=1
    wait_until 15 is 1 value destination beside '{.data.k}'
    ! k destination -n re get lease diary
    maps <<<''
}

# removing ENTRY-FIELDS: the synchronization of ConfigMaps, with what leaves it removed.
removing() {
    declare_sync edit maps source destination "pruneDeselected: true" <<<"- {version: v1, resource: configmaps, $1}"
}
copies() {
    k destination -n re get configmaps -o name | grep -c "$1" || :
}

@test "with pruneDeselected what leaves the selection is removed, and made anew when it is selected again" {
    k destination -n re create configmap theirs --from-literal=k=1
    k source -n re label configmap a keep=yes
    wait_until 15 is yes value destination a '{.metadata.labels.keep}'
    removing 'filters: {selector: {matchLabels: {keep: "yes"}}}'
    gone() { ! k destination -n re get configmap "$1" >/dev/null 2>&1; }
    wait_until 20 gone b
    wait_until 20 gone meanwhile
    is 2 value destination a '{.data.k}'
    k source -n re label configmap a keep-
    wait_until 20 gone a
    k source -n re label configmap a keep=yes
    wait_until 15 is 2 value destination a '{.data.k}'
    k source label namespace re team=shop
    removing 'filters: {namespaceSelector: {matchLabels: {team: shop}}, nameSelector: {regex: [^a$, ^b$, ^bulk-]}}' # so few that all may go in this hour
    wait_until 15 is 2 value destination b '{.data.k}'
    k source label namespace re team-
    wait_until 20 gone a
    wait_until 20 gone b
    k source label namespace re team=shop
    wait_until 15 is 2 value destination a '{.data.k}'
    is 1 value destination theirs '{.data.k}'
}

@test "many that leave at once are held until it is approved; a namespace is never removed" {
    local i
    for i in $(seq 20); do
        printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: bulk-%s, namespace: re, labels: {bulk: "yes"}}\n' "$i"
    done | k source create -f -
    wait_until 30 is 20 copies bulk-
    declare_sync edit spaces source destination "pruneDeselected: true" <<<'- {version: v1, resource: namespaces, filters: {nameSelector: {regex: [^space$]}}}'
    k source create namespace space
    space() { k destination get namespace space >/dev/null 2>&1; }
    wait_until 20 space
    declare_sync edit spaces source destination "pruneDeselected: true" <<<'- {version: v1, resource: namespaces, filters: {nameSelector: {regex: [^none$]}}}'
    removing 'filters: {selector: {matchLabels: {keep: "yes"}}}'
    wait_until 20 says edit 'to remove more than 10 in an hour needs approval: resilog run --allow-prune default/maps'
    wait_until 20 status_has edit maps pruneHeld '2?'
    wait_until 20 status_is edit spaces held 1
    [ "$(copies bulk-)" = 20 ]
    space
    run_stop edit
    run_start edit --kubeconfig "destination=$E2E_DIR/destination.kubeconfig" --allow-prune maps
    wait_until 30 is 0 copies bulk-
    wait_until 20 status_is edit maps pruneHeld 0
    is 2 value destination a '{.data.k}'
    space
    rm "$E2E_DIR/edit/maps.yaml"
    wait_until 20 status_is edit maps phase Stopped
    is 2 value destination a '{.data.k}'
    rm "$E2E_DIR/edit/spaces.yaml"
    maps <<<''
}

@test "credentials that were rotated are used" {
    sed 's/admin-token/withdrawn-token/' "$(kube_config destination)" >"$E2E_DIR/destination.kubeconfig.new"
    mv "$E2E_DIR/destination.kubeconfig.new" "$E2E_DIR/destination.kubeconfig"
    wait_until 20 status_is edit maps phase Waiting
    k source -n re create configmap rotated --from-literal=k=1
    cp "$(kube_config destination)" "$E2E_DIR/destination.kubeconfig"
    wait_until 30 is 1 value destination rotated '{.data.k}'
    ! says edit withdrawn-token
    ! says edit admin-token
    run_stop edit
}

# No limit holds for root: there a process of nobody is limited, which may use the folders of the test nevertheless.
limited() {
    [ "$(id -u)" != 0 ] || echo setpriv --reuid=65534 --regid=65534 --clear-groups \
        --inh-caps=+dac_override,+dac_read_search --ambient-caps=+dac_override,+dac_read_search
}
# threads N: how many threads the user of the instance "short" may have.
threads() {
    $(limited) prlimit --pid "$(proc_pid short)" --nproc="$1:"
}
short() {
    declare_sync short short source destination <<<"- {version: v1, resource: $1, filters: {nameSelector: {regex: [^short]}}}"
}

@test "what gets no thread after an edit is started as soon as there is one" {
    declare_clusters short source destination
    short configmaps
    RUN_UNDER=$(limited) run_start short
    wait_until 20 status_is short short phase Live
    threads 1
    short secrets
    wait_until 15 says short 'the changed resources cannot be run, it is tried again'
    status_is short short phase Stopped
    k source -n re create secret generic short --from-literal=k=MARKER-v
    threads 4096
    arrived() { k destination -n re get secret short >/dev/null 2>&1; }
    wait_until 60 arrived
    says short 'the changed resources are in effect'
    run_stop short
}
