#!/usr/bin/env bats
# Every kind of docs/reference/copy-rules.md between two clusters with controllers: a second run writes nothing, and of a member
# that the destination's own controllers keep nothing is written, however often it is looked at.
load lib
load resilog

MANIFESTS=$ROOT/tests/e2e/manifests
RBAC=rbac.authorization.k8s.io
FLOW=flowcontrol.apiserver.k8s.io
ADMISSION=admissionregistration.k8s.io
KINDS="/v1/namespaces apiextensions.k8s.io/v1/customresourcedefinitions scheduling.k8s.io/v1/priorityclasses
    storage.k8s.io/v1/storageclasses storage.k8s.io/v1/volumeattributesclasses storage.k8s.io/v1/csidrivers
    node.k8s.io/v1/runtimeclasses networking.k8s.io/v1/networkpolicies /v1/resourcequotas /v1/limitranges
    policy/v1/poddisruptionbudgets /v1/persistentvolumes /v1/persistentvolumeclaims /v1/serviceaccounts /v1/secrets
    /v1/configmaps $RBAC/v1/clusterroles $RBAC/v1/roles $RBAC/v1/clusterrolebindings $RBAC/v1/rolebindings /v1/services
    /v1/endpoints discovery.k8s.io/v1/endpointslices apps/v1/daemonsets /v1/pods /v1/replicationcontrollers
    apps/v1/replicasets apps/v1/controllerrevisions apps/v1/deployments autoscaling/v2/horizontalpodautoscalers
    apps/v1/statefulsets batch/v1/jobs batch/v1/cronjobs networking.k8s.io/v1/ingressclasses networking.k8s.io/v1/ingresses
    networking.k8s.io/v1/servicecidrs resource.k8s.io/v1/resourceclaims resource.k8s.io/v1/resourceclaimtemplates
    resource.k8s.io/v1/deviceclasses $FLOW/v1/flowschemas $FLOW/v1/prioritylevelconfigurations
    apiregistration.k8s.io/v1/apiservices $ADMISSION/v1/mutatingwebhookconfigurations
    $ADMISSION/v1/validatingwebhookconfigurations $ADMISSION/v1/validatingadmissionpolicies
    $ADMISSION/v1/validatingadmissionpolicybindings example.com/v1/widgets example.com/v1/tenants"

setup_file() {
    e2e_begin etcd kube-apiserver kubectl kube-controller-manager
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source controllers
    audit_flags destination
    API_FLAGS+=" --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1beta1=true"
    KCM_FLAGS=--horizontal-pod-autoscaler-sync-period=1s kube_start destination controllers
    unset API_FLAGS
    declare_clusters rows source destination
    entries $KINDS | declare_sync rows copies source destination 'resyncPeriod: 1s'
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

entries() { # RESOURCE...: one entry each, for the namespaces of the shop
    local resource group version
    for resource; do
        IFS=/ read -r group version resource <<<"$resource"
        echo "- {group: \"$group\", version: $version, resource: $resource, filters: {namespaceSelector: {matchLabels: {team: shop}}}}"
    done
}
src() { k source "$@"; }
dst() { k destination "$@"; }
is_there() { dst get "$@" >/dev/null; }
is_gone() { ! dst get "$@" >/dev/null 2>&1; }
dst_is() { # EXPECTED JSONPATH WHAT...
    [ "$(dst get "${@:3}" -o "jsonpath=$2")" = "$1" ]
}
equal() { # SECONDS
    wait_same "$1" source destination --resource $KINDS --namespaces kinds rows --least 65
}
at_rest() { # nothing is on its way, held or waited for
    status_is rows copies phase Live && status_is rows copies lagRecords 0 && status_is rows copies held 0 &&
        status_is rows copies waiting 0
}
held_as() { # CLASS NAME
    "$RESILOG" holds ls --data "$E2E_DIR/rows.data" -o json copies |
        json "any(h['class'] == '$1' and h['key'].endswith('/$2') for h in d)" | grep -qx true
}
rounds() { # waits until all copies have been looked at twice more
    local kinds=($KINDS) wanted
    wanted=$(($(requests destination list) + 2 * ${#kinds[@]}))
    looked() { [ "$(requests destination list)" -ge "$wanted" ]; }
    wait_until 60 looked
}
writes_nothing() { # COMMAND...
    local before
    before=$(written destination)
    "$@"
    diff <(echo "$before") <(written destination)
}
owned_by() { # NAME API-VERSION KIND OWNER: a ConfigMap of the source with that controller
    src create -f - <<-OWNED
	apiVersion: v1
	kind: ConfigMap
	metadata:
	  name: $1
	  namespace: rows
	  ownerReferences:
	  - {apiVersion: $2, kind: $3, name: $4, controller: true, uid: $(src -n rows get "$3" "$4" -o 'jsonpath={.metadata.uid}')}
	OWNED
}
doubled() { # what a server-side apply answers with 500, and a POST does not
    src create -f - <<-DOUBLED
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: doubled, namespace: rows}
	spec:
	  replicas: 0
	  selector: {matchLabels: {app: doubled}}
	  template:
	    metadata: {labels: {app: doubled}}
	    spec:
	      containers:
	      - name: main
	        image: registry.example.com/doubled:1.0
	        env: [{name: A, value: "1"}, {name: A, value: "2"}]
	        ports: [{containerPort: 80}, {containerPort: 80}]
	DOUBLED
    printf '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"long-key","namespace":"rows"},"spec":{"%s":1}}' \
        "$(printf 'k%.0s' {1..1500})" | src create -f -
}

@test "every kind arrives" {
    src apply -f "$MANIFESTS/crds.yaml"
    src wait --for=condition=Established crd/widgets.example.com crd/tenants.example.com --timeout=30s
    src apply -f "$MANIFESTS/kinds.yaml" -f "$MANIFESTS/rows.yaml"
    owned_by by-a-lease coordination.k8s.io/v1 Lease owner
    src -n rows create -f - <<<'{apiVersion: example.com/v1, kind: Widget, metadata: {name: owner}}'
    owned_by by-a-widget example.com/v1 Widget owner
    doubled
    src -n rows delete configmap leaving --wait=false
    src -n rows wait --for=condition=Complete job/finished --timeout=30s
    run_start rows
    equal 60
    wait_until 30 at_rest
}

@test "what belongs to one cluster alone is left out" {
    is_gone -n rows job finished
    is_gone -n rows configmap leader
    is_gone -n rows configmap leaving
    is_gone -n rows configmap by-a-widget
    dst_is '' '{.metadata.ownerReferences}' -n rows configmap by-a-lease
    dst_is '' '{.metadata.finalizers}{.metadata.generateName}' -n rows configmap finalized
    dst_is '' '{.spec.ttlSecondsAfterFinished}' -n rows job manual
    dst_is '[{"name":"mine"}]' '{.secrets}' -n rows serviceaccount builder
    bound() { [ "$(dst get pvc -n rows disk -o 'jsonpath={.metadata.uid}')" = "$(dst get pv rows-disk -o 'jsonpath={.spec.claimRef.uid}')" ]; }
    wait_until 60 bound # by the destination's controller, which looks every 15 s
}

@test "a second run writes nothing, neither on the same data nor on an empty folder" {
    rounds # the destination's controllers have made of the copies what they make of them
    run_stop rows
    again() {
        run_start rows
        wait_until 60 at_rest
        rounds
    }
    writes_nothing again
    run_stop rows
    rm -r "$E2E_DIR/rows.data"
    writes_nothing again
    status_is rows copies repaired 0
    equal 5
}

# What the destination's controllers, operators and API server keep of the copies, a line for each.
theirs() {
    dst -n rows get deployment scaled -o 'jsonpath=replicas {.spec.replicas} {.metadata.annotations.deployment\.kubernetes\.io/revision}{"\n"}'
    dst -n rows get service allotted -o 'jsonpath=service {.spec.clusterIPs} {.spec.ports[*].nodePort} {.spec.healthCheckNodePort}{"\n"}'
    dst -n kinds get service internal -o 'jsonpath=service {.spec.clusterIP} {.metadata.finalizers} {.status}{"\n"}'
    dst -n rows get pvc disk -o 'jsonpath=claim {.spec.volumeName} {.metadata.annotations.pv\.kubernetes\.io/bind-completed} {.metadata.finalizers}{"\n"}'
    dst get pv rows-disk -o 'jsonpath=volume {.spec.claimRef.uid} {.metadata.finalizers}{"\n"}'
    dst -n rows get serviceaccount builder -o 'jsonpath=account {.secrets}{"\n"}'
    dst -n kinds get job migrate -o 'jsonpath=job {.spec.selector} {.spec.template.metadata.labels}{"\n"}'
    dst -n rows get pod alone -o 'jsonpath=pod {.spec.volumes[*].name} {.spec.containers[0].volumeMounts[*].name}{"\n"}'
    dst -n kinds get daemonset agent -o 'jsonpath=daemons {.metadata.annotations.deprecated\.daemonset\.template\.generation}{"\n"}'
    dst get clusterrole rows-collected -o 'jsonpath=role {.rules}{"\n"}'
    dst get mutatingwebhookconfiguration rows -o 'jsonpath=webhook {.webhooks[0].clientConfig.caBundle}{"\n"}'
    dst get crd converted.rows.example.com -o 'jsonpath=conversion {.spec.conversion.webhook.clientConfig.caBundle}{"\n"}'
    dst get tenant acme -o 'jsonpath=status {.status}{"\n"}'
    dst -n rows get configmap finalized -o 'jsonpath=metadata {.metadata.finalizers} {.metadata.ownerReferences}{"\n"}'
    dst get namespace rows -o 'jsonpath=namespace {.spec.finalizers}{"\n"}'
    dst -n rows get configmap mutated -o 'jsonpath=mutated {.data.a}{"\n"}'
}

@test "what the destination's controllers keep is never written, however often it is looked at" {
    local uid
    uid=$(dst get namespace rows -o 'jsonpath={.metadata.uid}')
    dst -n rows autoscale deployment scaled --min=5 --max=9 --cpu=80%
    dst -n kinds patch service internal --type=merge -p '{"metadata":{"finalizers":["rows.example.com/balancer"]}}'
    dst -n rows patch serviceaccount builder --type=json -p '[{"op":"add","path":"/secrets/-","value":{"name":"builder-token-own"}}]'
    dst create clusterrole theirs --verb=list --resource=pods
    dst label clusterrole theirs rows=collected
    dst patch mutatingwebhookconfiguration rows --type=json -p '[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"b3du"}]'
    dst patch crd converted.rows.example.com --type=merge -p \
        '{"spec":{"conversion":{"webhook":{"clientConfig":{"caBundle":"'"$(base64 -w0 <"$E2E_DIR/destination/certs/apiserver.crt")"'"}}}}}'
    dst patch tenant acme --subresource=status --type=merge -p '{"status":{"ready":true}}'
    dst -n rows patch configmap finalized --type=merge -p '{"metadata":{"finalizers":["rows.example.com/own"],
        "ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"rows","uid":"'"$uid"'"}]}}'
    dst create -f - <<-'MUTATION'
	apiVersion: admissionregistration.k8s.io/v1beta1
	kind: MutatingAdmissionPolicy
	metadata: {name: mutates}
	spec:
	  matchConstraints:
	    objectSelector: {matchLabels: {mutated: "yes"}}
	    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
	  reinvocationPolicy: Never
	  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{data: {"a": "theirs"}}'}}]
	---
	apiVersion: admissionregistration.k8s.io/v1beta1
	kind: MutatingAdmissionPolicyBinding
	metadata: {name: mutates}
	spec: {policyName: mutates}
	MUTATION
    mutates() {
        [ "$(dst create --dry-run=server -o 'jsonpath={.data.a}' -f - <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: probe, labels: {mutated: "yes"}}, data: {a: ours}}')" = theirs ]
    }
    wait_until 30 mutates
    src -n rows create -f - <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: mutated, labels: {mutated: "yes"}}, data: {a: ours}}'
    wait_until 30 dst_is theirs '{.data.a}' -n rows configmap mutated
    dst -n rows annotate configmap mutated touched=theirs # its version moves: the next look finds another object than was written
    wait_until 30 dst_is 5 '{.spec.replicas}' -n rows deployment scaled
    collected() { dst get clusterrole rows-collected -o 'jsonpath={.rules}' | grep -q pods; }
    wait_until 30 collected
    rounds
    wait_until 30 at_rest
    theirs >"$E2E_DIR/theirs"
    run ! grep -E '^(replicas 2|[a-z]+ *$)' "$E2E_DIR/theirs"
    writes_nothing rounds
    diff "$E2E_DIR/theirs" <(theirs)
}

@test "a change of the source leaves what the destination's controllers keep" {
    local what all="deployment/scaled service/allotted pvc/disk pv/rows-disk serviceaccount/builder pod/alone
        clusterrole/rows-collected mutatingwebhookconfiguration/rows crd/converted.rows.example.com tenant/acme
        configmap/finalized namespace/rows"
    src -n rows annotate $all touched=1
    src -n kinds annotate --overwrite service/internal job/migrate daemonset/agent touched=1
    touched() {
        [ "$(dst -n "$1" get "${@:2}" -o 'jsonpath={.items[*].metadata.annotations.touched}' | wc -w)" = $(($# - 1)) ]
    }
    wait_until 30 touched rows $all
    wait_until 30 touched kinds service/internal job/migrate daemonset/agent
    wait_until 30 at_rest
    writes_nothing rounds
    diff "$E2E_DIR/theirs" <(theirs)
}

@test "what the destination refuses is held by its class, blocks nothing, and arrives when it is taken" {
    dst create -f - <<-'OBSTACLES'
	apiVersion: admissionregistration.k8s.io/v1
	kind: ValidatingWebhookConfiguration
	metadata: {name: dead}
	webhooks:
	- name: dead.example.com
	  clientConfig: {service: {namespace: rows, name: nobody}}
	  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
	  objectSelector: {matchLabels: {refused: webhook}}
	  failurePolicy: Fail
	  sideEffects: None
	  admissionReviewVersions: [v1]
	---
	apiVersion: admissionregistration.k8s.io/v1
	kind: ValidatingAdmissionPolicyBinding
	metadata: {name: deny}
	spec: {policyName: rows, validationActions: [Deny]}
	---
	apiVersion: v1
	kind: ResourceQuota
	metadata: {name: no-more, namespace: rows}
	spec: {hard: {count/secrets: "0"}}
	---
	apiVersion: v1
	kind: Service
	metadata: {name: squatter, namespace: rows}
	spec: {type: NodePort, ports: [{port: 80, nodePort: 31999}]}
	OBSTACLES
    wait_until 30 dst_is 0 '{.status.hard.count/secrets}' -n rows resourcequota no-more
    stopped() { ! dst -n rows create configmap "$@" --dry-run=server; }
    wait_until 30 stopped denied
    dst -n rows delete configmap finalized --wait=false
    src -n rows delete configmap mutated # no comparison finds it equal
    src create namespace ending
    src label namespace ending team=shop
    wait_until 30 is_there namespace ending
    dst -n ending create -f - <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: stays, finalizers: [rows.example.com/own]}}'
    dst delete namespace ending --wait=false
    src -n ending create configmap late
    src create -f - <<-'REFUSED'
	{apiVersion: v1, kind: ConfigMap, metadata: {name: dead, namespace: rows, labels: {refused: webhook}}}
	---
	{apiVersion: v1, kind: ConfigMap, metadata: {name: denied, namespace: rows}}
	---
	{apiVersion: v1, kind: Secret, metadata: {name: too-many, namespace: rows}}
	---
	{apiVersion: v1, kind: Service, metadata: {name: port-taken, namespace: rows}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31999}]}}
	REFUSED
    python3 -c 'print("{apiVersion: v1, kind: ConfigMap, metadata: {name: full, namespace: rows, annotations: {a: %s}}}" % ("x" * 262100))' |
        src create -f -
    src -n rows patch configmap finalized --type=merge -p '{"data":{"a":"2"}}'
    src -n rows patch deployment doubled --type=merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'
    wait_until 30 dst_is '{"type":"Recreate"}' '{.spec.strategy}' -n rows deployment doubled
    wait_until 30 held_as webhook dead
    wait_until 30 held_as webhook denied
    wait_until 30 held_as quota too-many
    wait_until 30 held_as invalid port-taken
    wait_until 30 held_as invalid full
    wait_until 30 held_as terminating finalized
    wait_until 30 held_as terminating late
    dst delete validatingwebhookconfiguration/dead validatingadmissionpolicybinding/deny
    dst -n rows delete resourcequota/no-more service/squatter
    dst -n rows patch configmap finalized --type=merge -p '{"metadata":{"finalizers":null}}'
    dst -n ending patch configmap stays --type=merge -p '{"metadata":{"finalizers":null}}'
    src -n rows annotate configmap/dead configmap/denied secret/too-many service/port-taken again=1
    src -n rows annotate --overwrite configmap/full a=short
    src -n rows scale deployment scaled --replicas=5 # as the destination's autoscaler has it
    wait_until 60 is_there -n ending configmap late # its namespace was made again, too
    wait_until 60 at_rest
    equal 30
}

@test "what cannot be changed in place is made anew, held or left to a person, by its kind" {
    run_stop rows
    rm -r "$E2E_DIR/rows.data" # else the deletes would be seen, and the copies deleted before the objects come anew
    src -n kinds delete rolebinding reader
    src -n kinds create rolebinding reader --role=widget-admin --serviceaccount=kinds:worker
    src -n rows delete deployment/doubled service/bare
    src -n rows create service clusterip bare --tcp=80
    src -n rows create -f - <<-'DEPLOYMENT'
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: doubled, namespace: rows}
	spec:
	  replicas: 0
	  selector: {matchLabels: {app: other}}
	  template: {metadata: {labels: {app: other}}, spec: {containers: [{name: main, image: registry.example.com/doubled:2.0}]}}
	DEPLOYMENT
    run_start rows
    wait_until 30 dst_is widget-admin '{.roleRef.name}' -n kinds rolebinding reader
    wait_until 30 held_as recreate doubled
    wait_until 30 held_as recreate bare # the destination takes the change with 200, and keeps None
    dst -n rows delete deployment/doubled service/bare
    src -n rows delete --wait=false job/manual pvc/disk
    src delete --wait=false crd converted.rows.example.com
    wait_until 30 held_as never-deleted disk
    wait_until 30 held_as never-deleted converted.rows.example.com
    wait_until 30 is_gone -n rows job manual
    is_there -n rows pvc disk
    is_there crd converted.rows.example.com
    wait_until 60 dst_is registry.example.com/doubled:2.0 '{.spec.template.spec.containers[0].image}' -n rows deployment doubled
    run_stop rows
}

@test "an APIService of its own Service arrives" { # the last one: a group that nobody serves makes every discovery incomplete
    src create -f - <<-'SERVICE'
	apiVersion: apiregistration.k8s.io/v1
	kind: APIService
	metadata: {name: v1.served.rows.example.com}
	spec: {group: served.rows.example.com, version: v1, groupPriorityMinimum: 10, versionPriority: 10, service: {namespace: rows, name: webhook}, insecureSkipTLSVerify: true}
	SERVICE
    run_start rows
    wait_until 30 dst_is webhook '{.spec.service.name}' apiservice v1.served.rows.example.com
    src delete apiservice v1.served.rows.example.com
    wait_until 30 is_gone apiservice v1.served.rows.example.com
    run_stop rows
}
