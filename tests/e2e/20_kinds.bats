#!/usr/bin/env bats
# Every kind, filters, patches, missing dependencies and foreign objects, between two clusters with controllers.
load lib
load resilog

MANIFESTS=$ROOT/tests/e2e/manifests
RBAC=rbac.authorization.k8s.io
ALL="/v1/namespaces apiextensions.k8s.io/v1/customresourcedefinitions scheduling.k8s.io/v1/priorityclasses
    storage.k8s.io/v1/storageclasses networking.k8s.io/v1/networkpolicies /v1/resourcequotas /v1/limitranges
    policy/v1/poddisruptionbudgets /v1/serviceaccounts /v1/secrets /v1/configmaps $RBAC/v1/clusterroles $RBAC/v1/roles
    $RBAC/v1/clusterrolebindings $RBAC/v1/rolebindings /v1/services apps/v1/daemonsets apps/v1/deployments
    apps/v1/statefulsets apps/v1/replicasets autoscaling/v2/horizontalpodautoscalers batch/v1/jobs batch/v1/cronjobs
    networking.k8s.io/v1/ingressclasses networking.k8s.io/v1/ingresses example.com/v1/widgets example.com/v1/tenants"

setup_file() {
    e2e_begin etcd kube-apiserver kubectl kube-controller-manager
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source controllers
    audit_flags destination
    kube_start destination controllers
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

entries() { # RESOURCE...: one entry each, with the fields of $WITH
    local resource group version
    for resource; do
        IFS=/ read -r group version resource <<<"$resource"
        echo "- {group: \"$group\", version: $version, resource: $resource${WITH:+, $WITH}}"
    done
}
src() { k source "$@"; }
dst() { k destination "$@"; }
is_there() { dst get "$@" >/dev/null; }
is_gone() { ! dst get "$@" >/dev/null 2>&1; }
dst_is() { # EXPECTED JSONPATH WHAT...
    [ "$(dst get "${@:3}" -o "jsonpath=$2")" = "$1" ]
}

@test "every kind arrives, also of a CRD that is made later, and both clusters are equal" {
    declare_clusters all source destination
    WITH='filters: {namespaceSelector: {matchLabels: {team: shop}}}' entries $ALL |
        declare_sync all everything source destination
    src create namespace apps
    src label namespace apps team=shop
    run_start all
    src apply -f "$MANIFESTS/crds.yaml"
    src wait --for=condition=Established crd/widgets.example.com crd/tenants.example.com --timeout=30s
    src apply -f "$MANIFESTS/kinds.yaml"
    src -n apps apply -f "$MANIFESTS/apps"
    wait_same 120 source destination --resource $ALL --namespaces kinds apps --least 60
}

@test "what controllers and API servers make for themselves is not copied" {
    run ! grep -E ' (apps/replicasets|/pods)/' <<<"$(dst get replicasets,pods -A -o yaml | grep sync.resilog.io/owner)"
    [ -z "$(dst -n kinds get configmap kube-root-ca.crt -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}')" ]
    [ -z "$(dst -n kinds get secret worker-long-lived --ignore-not-found)" ]
    [ -z "$(dst get clusterroles -o 'jsonpath={.items[?(@.metadata.name=="system:node")].metadata.annotations.sync\.resilog\.io/owner}')" ]
}

@test "Services of every type keep what was chosen and get their own of what was allotted" {
    [ "$(dst -n kinds get service node-port-chosen -o 'jsonpath={.spec.ports[0].nodePort}')" = 31080 ]
    [ "$(dst -n kinds get service headless -o 'jsonpath={.spec.clusterIP}')" = None ]
    [ "$(dst -n kinds get service elsewhere -o 'jsonpath={.spec.externalName}')" = db.example.com ]
    [ -n "$(dst -n kinds get service internal -o 'jsonpath={.spec.clusterIP}')" ]
    local address
    address=$(dst -n kinds get service internal -o 'jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}')
    src -n kinds patch service internal --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":8081}]'
    wait_until 30 dst_is 8081 '{.spec.ports[0].targetPort}' -n kinds service internal
    [ "$(dst -n kinds get service internal -o 'jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}')" = "$address" ]
}

@test "Jobs and CronJobs arrive suspended" {
    [ "$(dst -n kinds get job migrate -o 'jsonpath={.spec.suspend}')" = true ]
    [ "$(dst -n kinds get cronjob nightly -o 'jsonpath={.spec.suspend}')" = true ]
    [ "$(src -n kinds get job migrate -o 'jsonpath={.spec.suspend}')" = false ]
}

@test "applying the same manifests again writes nothing" {
    wait_until 30 status_is all everything phase Live
    wait_until 30 status_is all everything lagRecords 0
    local before
    src apply -f "$MANIFESTS/kinds.yaml" # undoes what the tests before have patched
    wait_same 30 source destination --resource $ALL --namespaces kinds apps --least 60
    before=$(written destination)
    src apply -f "$MANIFESTS/kinds.yaml"
    src -n apps apply -f "$MANIFESTS/apps"
    src -n kinds annotate configmap settings touched=1
    wait_until 30 dst_is 1 '{.metadata.annotations.touched}' -n kinds configmap settings
    diff <(echo "$before"; echo "update /api/v1/namespaces/kinds/configmaps/settings") <(written destination)
    same source destination --resource $ALL --namespaces kinds apps --least 60
}

@test "changes and removals in nested members follow" {
    src -n kinds patch widget first --type=merge -p '{"spec":{"nested":{"list":null,"more":[{}]}}}'
    src -n kinds patch deployment web --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/env/1"}]'
    src -n kinds patch configmap settings --type=json -p '[{"op":"remove","path":"/binaryData"}]'
    src -n kinds label deployment web app-
    src patch tenant acme --type=merge -p '{"spec":{"limits":{"pods":9007199254740995}}}'
    wait_same 30 source destination --resource $ALL --namespaces kinds apps --least 60
    [ -z "$(dst -n kinds get configmap settings -o 'jsonpath={.binaryData}')" ]
}

@test "what others add in the destination stays" {
    dst -n kinds annotate deployment web their=own
    dst -n kinds patch configmap settings --type=merge -p '{"data":{"theirs":"1"}}'
    src -n kinds patch configmap settings --type=merge -p '{"data":{"ours":"2"}}'
    src -n kinds scale deployment web --replicas=4
    wait_until 30 dst_is 2 '{.data.ours}' -n kinds configmap settings
    wait_until 30 dst_is 4 '{.spec.replicas}' -n kinds deployment web
    [ "$(dst -n kinds get configmap settings -o 'jsonpath={.data.theirs}')" = 1 ]
    [ "$(dst -n kinds get deployment web -o 'jsonpath={.metadata.annotations.their}')" = own ]
}

@test "D59 D68 a replaced object of an immutable kind is replaced in the destination" {
    local before
    before=$(dst -n kinds get secret frozen -o 'jsonpath={.metadata.uid}')
    src -n kinds delete secret frozen
    src -n kinds create secret generic frozen --from-literal=key=MARKER-thawed
    wait_until 30 dst_is "$(printf MARKER-thawed | base64)" '{.data.key}' -n kinds secret frozen
}

@test "a label change of a namespace takes its objects in at once, and leaves copies when it goes" {
    src create namespace later
    src -n later create configmap waits --from-literal=a=1
    src -n kinds annotate configmap settings touched=2 --overwrite
    wait_until 30 dst_is 2 '{.metadata.annotations.touched}' -n kinds configmap settings
    run ! dst get namespace later
    src label namespace later team=shop
    wait_until 30 is_there -n later configmap waits
    src label namespace later team-
    src -n later patch configmap waits --type=merge -p '{"data":{"a":"2"}}'
    src -n kinds annotate configmap settings touched=3 --overwrite
    wait_until 30 dst_is 3 '{.metadata.annotations.touched}' -n kinds configmap settings
    [ "$(dst -n later get configmap waits -o 'jsonpath={.data.a}')" = 1 ]
    src -n later delete configmap waits
    src -n kinds annotate configmap settings touched=4 --overwrite
    wait_until 30 dst_is 4 '{.metadata.annotations.touched}' -n kinds configmap settings
    is_there -n later configmap waits
    run_stop all
}

@test "a missing namespace or kind waits without blocking others, and is filled when it comes" {
    declare_clusters waits source destination
    entries /v1/secrets example.com/v1/gadgets | WITH= declare_sync waits waiting source destination
    sed 's/widget/gadget/g; s/Widget/Gadget/g; s/wdg/gdg/; /^---$/,$d' "$MANIFESTS/crds.yaml" >"$E2E_DIR/gadgets.yaml"
    src apply -f "$E2E_DIR/gadgets.yaml"
    src wait --for=condition=Established crd/gadgets.example.com --timeout=30s
    src create namespace not-there
    src -n not-there create secret generic waits --from-literal=a=MARKER-1
    src apply -f - <<<'{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"g","namespace":"default"},"spec":{}}'
    run_start waits
    src -n default create secret generic goes-on --from-literal=a=MARKER-1
    wait_until 30 is_there -n default secret goes-on
    wait_until 30 status_is waits waiting waiting 2
    dst create namespace not-there
    wait_until 45 is_there -n not-there secret waits
    dst apply -f "$E2E_DIR/gadgets.yaml"
    dst wait --for=condition=Established crd/gadgets.example.com --timeout=30s
    wait_until 75 is_there -n default gadget g
    wait_until 30 status_is waits waiting waiting 0
    run_stop waits
}

@test "forceNamespaceCreation makes the namespace with the source's labels, without those of tools" {
    declare_clusters force source destination
    WITH='filters: {nameSelector: {regex: ["^force-"]}}' entries /v1/configmaps |
        declare_sync force forcing source destination "forceNamespaceCreation: true"
    src create namespace forced
    src label namespace forced level=gold argocd.argoproj.io/instance=x
    src -n forced create configmap force-one
    src -n forced create configmap other
    run_start force
    wait_until 30 is_there -n forced configmap force-one
    [ "$(dst get namespace forced -o 'jsonpath={.metadata.labels.level}{.metadata.labels.argocd\.argoproj\.io/instance}')" = gold ]
    src delete namespace forced --wait=false
    wait_until 30 is_gone -n forced configmap force-one
    is_there namespace forced
    run ! dst -n forced get configmap other
    run_stop force
}

@test "unmarked objects that are equal are adopted, others are held, and a foreign object is never deleted" {
    declare_clusters adopt source destination
    WITH='filters: {selector: {matchLabels: {adopt: test}}}' entries /v1/configmaps |
        declare_sync adopt adopting source destination
    local cluster
    for cluster in source destination; do
        k "$cluster" create configmap equal --from-literal=a=1
        k "$cluster" label configmap equal adopt=test
        k "$cluster" create configmap different --from-literal=cluster=$cluster
        k "$cluster" label configmap different adopt=test
    done
    dst create configmap foreign
    dst label configmap foreign adopt=test
    run_start adopt
    wait_until 30 dst_is 1 '{.data.a}' configmap equal
    adopted() { [[ $(dst get configmap equal -o 'jsonpath={.metadata.annotations.sync\.resilog\.io/owner}') == *" adopted" ]]; }
    wait_until 30 adopted
    wait_until 30 status_is adopt adopting held 1
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/adopt.data" -o json adopting
    [ "$(json '[(h["class"], h["waiting"], h["synchronization"]) for h in d]' <<<"$output")" = '[["not-ours", false, "default/adopting"]]' ]
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/adopt.data"
    [[ ${lines[0]} == SYNCHRONIZATION*KEY*CLASS*REASON* && ${lines[1]} == *held*not-ours* ]]
    run -3 "$RESILOG" holds ls --data "$E2E_DIR/adopt.data" no-such-one
    [ "$(dst get configmap different -o 'jsonpath={.data.cluster}{.metadata.annotations}')" = destination ]
    [[ $(status adopt adopting lastError) == */different* ]]
    src patch configmap equal --type=merge -p '{"data":{"a":"2"}}'
    wait_until 30 dst_is 2 '{.data.a}' configmap equal
    src delete configmap equal different
    wait_until 30 is_gone configmap equal
    wait_until 30 status_is adopt adopting held 0
    is_there configmap different
    is_there configmap foreign
    run_stop adopt
}

@test "A04 A05 G92 selectors, expressions and name patterns pick exactly their objects" {
    declare_clusters pick source destination
    declare_sync pick picking source destination "forceNamespaceCreation: true" <<-'ENTRIES'
	- version: v1
	  resource: configmaps
	  filters:
	    selector: {matchExpressions: [{key: tier, operator: In, values: [a, b]}, {key: skip, operator: DoesNotExist}]}
	    namespaceSelector:
	      matchExpressions:
	        - {key: stage, operator: NotIn, values: [test]}
	        - {key: pick, operator: Exists}
	    nameSelector: {regex: ["^in-", "also"], excludeRegex: ["-not$"]}
	ENTRIES
    src create namespace pick-live
    src create namespace pick-test
    src label namespace pick-live pick=yes stage=live
    src label namespace pick-test pick=yes stage=test
    local name
    for name in in-one is-also-two in-three-not other; do
        src -n pick-live create configmap $name
        src -n pick-live label configmap $name tier=a
        src -n pick-test create configmap $name
        src -n pick-test label configmap $name tier=a
    done
    src -n pick-live create configmap in-no-tier
    src -n pick-live create configmap in-skipped
    src -n pick-live label configmap in-skipped tier=b skip=
    run_start pick
    wait_until 30 status_is pick picking phase Live
    src -n pick-live create configmap in-last
    src -n pick-live label configmap in-last tier=b
    wait_until 30 is_there -n pick-live configmap in-last
    [ "$(dst -n pick-live get configmaps --field-selector metadata.name!=kube-root-ca.crt -o name | sort | tr '\n' ' ')" = \
        "configmap/in-last configmap/in-one configmap/is-also-two " ]
    is_gone namespace pick-test
    run_stop pick
}

@test "E72 patches add, replace and remove, and skipIfNotFoundOnDelete decides what a missing member means" {
    declare_clusters patch source destination
    declare_sync patch patching source destination <<-'ENTRIES'
	- version: v1
	  resource: configmaps
	  filters: {nameSelector: {regex: ["^patched"]}}
	  transformation:
	    patchOptions: {skipIfNotFoundOnDelete: true}
	    patch:
	      - {op: add, path: /data/added, value: "1"}
	      - {op: replace, path: /data/replaced, value: "~new~"}
	      - {op: remove, path: /data/a~1b}
	- version: v1
	  resource: configmaps
	  filters: {nameSelector: {regex: ["^strict"]}}
	  transformation:
	    patch: [{op: remove, path: /data/gone}]
	ENTRIES
    src create configmap patched --from-literal=replaced=old --from-literal=kept=1
    src create configmap strict-has --from-literal=gone=1 --from-literal=kept=1
    src create configmap strict-lacks --from-literal=kept=1
    run_start patch
    wait_until 30 dst_is '{"added":"1","kept":"1","replaced":"~new~"}' '{.data}' configmap patched
    wait_until 30 dst_is '{"kept":"1"}' '{.data}' configmap strict-has
    wait_until 30 status_is patch patching held 1
    [[ $(status patch patching lastError) == */data/gone* ]]
    is_gone configmap strict-lacks
    src patch configmap strict-lacks --type=merge -p '{"data":{"gone":"now here"}}'
    wait_until 30 is_there configmap strict-lacks
    wait_until 30 status_is patch patching held 0
    run_stop patch
}

@test "a suspended synchronization writes nothing, and goes on where it was" {
    SUSPEND=true
    declare_clusters sleepy source destination
    WITH='filters: {nameSelector: {regex: ["^sleepy"]}}' entries /v1/configmaps | declare_sync sleepy sleeping source destination
    run_start sleepy
    src create configmap sleepy-one
    wait_until 30 status_is sleepy sleeping phase Suspended
    in_log() { log_show sleepy ConfigMap/sleepy-one | grep -q put; }
    wait_until 30 in_log
    is_gone configmap sleepy-one
    run_stop sleepy
    SUSPEND=false
    WITH='filters: {nameSelector: {regex: ["^sleepy"]}}' entries /v1/configmaps | declare_sync sleepy sleeping source destination
    run_start sleepy
    wait_until 30 is_there configmap sleepy-one
    run_stop sleepy
}

@test "no message of resilog holds a Secret" {
    run ! grep -rlE 'MARKER-|admin-token' "$E2E_DIR"/{all,waits,force,adopt,pick,patch,sleepy}.log
}
