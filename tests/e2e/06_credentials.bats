#!/usr/bin/env bats
# Who resilog is to the servers: certificates, tokens, files, impersonation, the way through a proxy; and rights that do not reach
# kube-system.
load lib
load resilog

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    mkdir -m 700 "$E2E_DIR/ca"
    new_key ca
    openssl req -x509 -new -key "$E2E_DIR/ca/ca.key" -subj /CN=people -days 2 -out "$E2E_DIR/ca/ca.crt" 2>/dev/null
    certify copier
    export API_FLAGS="--client-ca-file=$E2E_DIR/ca/ca.crt"
    local name
    for name in source destination; do
        kube_start $name
        by_certificate $name copier
    done
    k source apply -f - >&2 <<-'RIGHTS'
	apiVersion: rbac.authorization.k8s.io/v1
	kind: ClusterRole
	metadata: {name: copier}
	rules:
	- {apiGroups: [""], resources: [configmaps, namespaces], verbs: [list, watch]}
	- {apiGroups: [""], resources: [namespaces], resourceNames: [default], verbs: [get]}
	- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [list, watch]}
	RIGHTS
    k destination apply -f - >&2 <<-'RIGHTS'
	apiVersion: rbac.authorization.k8s.io/v1
	kind: ClusterRole
	metadata: {name: copier}
	rules:
	- {apiGroups: [""], resources: [configmaps], verbs: [get, list, create, update, delete]}
	- {apiGroups: [""], resources: [namespaces], resourceNames: [default], verbs: [get]}
	RIGHTS
    for name in source destination; do
        k $name create clusterrolebinding copier --clusterrole=copier --user=copier >&2
    done
    declare_clusters few copier-source copier-destination
    declare_sync few copy copier-source copier-destination <<-'ENTRIES'
	- group: ""
	  version: v1
	  resource: configmaps
	  filters:
	    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
	    nameSelector: {regex: ["^c"]}
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

new_key() { # NAME
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$E2E_DIR/ca/$1.key" 2>/dev/null
}
# certify USER [DAYS]: a certificate of our authority with that name; of -1 days it has expired.
certify() {
    new_key "$1"
    openssl req -new -key "$E2E_DIR/ca/$1.key" -subj "/CN=$1" 2>/dev/null |
        openssl x509 -req -CA "$E2E_DIR/ca/ca.crt" -CAkey "$E2E_DIR/ca/ca.key" -CAcreateserial -days "${2:-2}" \
            -extfile <(echo extendedKeyUsage=clientAuth) -out "$E2E_DIR/ca/$1.crt" 2>/dev/null
}
# by_certificate CLUSTER USER: USER-CLUSTER/kubeconfig, which has the user's certificate and no token.
by_certificate() {
    mkdir -p "$E2E_DIR/$2-$1"
    sed "s|{token: admin-token}|{client-certificate-data: $(base64 -w0 <"$E2E_DIR/ca/$2.crt"), client-key-data: $(base64 -w0 <"$E2E_DIR/ca/$2.key")}|" \
        "$(kube_config "$1")" >"$(kube_config "$2-$1")"
}
owner_mark() {
    k destination get configmap "$1" -o json | json "d['metadata']['annotations']['sync.resilog.io/owner']"
}

validate_live() {
    "$RESILOG" validate --live -f "$E2E_DIR/few" $(kubeconfig_options few)
}
# variant NAME CLUSTER-MEMBERS USER-MEMBERS [CLUSTER]: NAME/kubeconfig with the address of the source, or of CLUSTER, and these members.
variant() {
    mkdir -p "$E2E_DIR/$1"
    cat >"$E2E_DIR/$1/kubeconfig.new" <<-K
	current-context: c
	contexts: [{name: c, context: {cluster: k, user: u}}]
	clusters: [{name: k, cluster: {server: "$(server_of "${4:-source}")", $2}}]
	users: [{name: u, user: {$3}}]
	K
    mv "$E2E_DIR/$1/kubeconfig.new" "$E2E_DIR/$1/kubeconfig"
}
server_of() {
    grep -o 'https://[0-9.:]*' "$(kube_config "$1")"
}
# asks NAME [OPTION...]: validate --live with that kubeconfig for the source.
asks() {
    "$RESILOG" validate --live -f "$E2E_DIR/few" --kubeconfig copier-source="$(kube_config "$1")" \
        --kubeconfig copier-destination="$(kube_config copier-destination)" "${@:2}"
}

@test "validate --live tells what the credentials lack, as a ClusterRole that grants it" {
    local roles
    run -3 --separate-stderr validate_live
    [[ $stderr == *"KubernetesCluster default/copier-source: 1 of 7 rights are missing"* ]]
    [[ $stderr == *"KubernetesCluster default/copier-destination: 1 of 6 rights are missing"* ]]
    [[ $stderr != *token* ]]
    roles=$output
    for name in source destination; do
        k $name apply -f - <<<"$roles" >&2
        k $name create clusterrolebinding lacking --clusterrole=resilog --user=copier >&2
    done
    wait_until 10 validate_live
    run -0 --separate-stderr validate_live
    [ -z "$output" ]
    [[ $stderr == *"default/copier-source: all 7 rights are granted"* ]]
    for name in source destination; do
        k $name delete clusterrolebinding lacking >&2
        k $name delete clusterrole resilog >&2
    done
}

@test "validate --live names a cluster that does not answer, and asks the others" {
    kube_kill destination apiserver
    run --separate-stderr validate_live
    [ "$status" -ne 0 ]
    [[ $stderr == *"KubernetesCluster default/copier-destination: "* ]]
    [[ $stderr == *"copier-source: 1 of 7"* ]]
    kube_restart destination apiserver
}

@test "the certificate of a kubeconfig is offered: the server knows the user by it" {
    run -0 k copier-source auth whoami -o json
    [ "$(json "d['status']['userInfo']['username']" <<<"$output")" = copier ]
    run -1 k copier-source get namespace kube-system
    k source create configmap c1 --from-literal=a=1
    run_start few
    wait_until 60 k destination get configmap c1
    wait_until 20 status_is few copy phase Live
}

@test "where kube-system is closed, the CA and the uid of default say which cluster it is" {
    local fingerprint uid
    fingerprint=$(openssl x509 -noout -fingerprint -sha256 -in "$E2E_DIR/destination/certs/apiserver.crt" | sed 's/.*=//; s/://g' | tr A-F a-f)
    uid=$(k destination get namespace default -o json | json "d['metadata']['uid']")
    [[ $(owner_mark c1) == "v1 ca-sha256:$fingerprint/default/$uid "* ]]
}

@test "a right to kube-system that comes changes no identity, neither of the source nor of the destination" {
    run_stop few
    local name before
    before=$(owner_mark c1)
    for name in source destination; do
        k $name create clusterrole more --verb=get --resource=namespaces
        k $name create clusterrolebinding more --clusterrole=more --user=copier
        k copier-$name get namespace kube-system
    done
    k source create configmap c2 --from-literal=a=1
    run_start few
    wait_until 60 k destination get configmap c2
    [ "$(owner_mark c1)" = "$before" ]
    [ "$(owner_mark c2 | cut -d' ' -f2)" = "$(cut -d' ' -f2 <<<"$before")" ]
    run_stop few
    ! says few "another cluster"
    ! says few "the destination is another one"
}

@test "certificates and token of files beside the kubeconfig, and tls-server-name, reach the server" {
    mkdir -p "$E2E_DIR/files"
    cp "$E2E_DIR/ca/copier.crt" "$E2E_DIR/ca/copier.key" "$E2E_DIR/source/certs/apiserver.crt" "$E2E_DIR/files"
    echo admin-token >"$E2E_DIR/files/token"
    variant files "certificate-authority: apiserver.crt" "client-certificate: copier.crt, client-key: ./copier.key"
    run --separate-stderr asks files
    [[ $stderr == *"copier-source: all 7 rights are granted"* ]]
    variant files "certificate-authority: apiserver.crt, tls-server-name: kubernetes.default.svc" "tokenFile: token"
    run --separate-stderr asks files
    [[ $stderr == *"copier-source: all 7 rights are granted"* ]]
    variant files "certificate-authority: apiserver.crt, tls-server-name: other.example" "tokenFile: token"
    run --separate-stderr asks files
    [[ $stderr == *"copier-source: "*"set tls-server-name to a name that the certificate holds"* ]]
    variant files "certificate-authority: none.crt" "tokenFile: token"
    run -3 --separate-stderr asks files
    [[ $stderr == *"files/kubeconfig:3:"*"certificate-authority: "*"files/none.crt: No such file or directory"* ]]
}

@test "C47 of a client certificate that has expired, the refusal tells when it did" {
    certify late -1
    by_certificate source late
    run --separate-stderr asks late-source
    [ "$status" -ne 0 ]
    local end=$(date -u -d "$(openssl x509 -noout -enddate -in "$E2E_DIR/ca/late.crt" | sed 's/.*=//')" +%FT%T)
    [[ $stderr == *"the client certificate of the kubeconfig expired at $end"*": renew it"* ]]
    echo "$stderr"
    [[ $stderr == *"copier-source: "*"the client certificate expired at $end"*401* ]]
}

@test "a server is trusted unseen only with --allow-insecure" {
    variant blind "insecure-skip-tls-verify: true" "token: admin-token"
    run -3 --separate-stderr asks blind
    [[ $stderr == *"blind/kubeconfig:3:"*"insecure-skip-tls-verify is refused"*"--allow-insecure"* ]]
    [[ $stderr != *admin-token* ]]
    run --separate-stderr asks blind --allow-insecure
    [[ $stderr == *"copier-source: all 7 rights are granted"* ]]
}

@test "with impersonation the rights are those of the impersonated user and groups" {
    local trusted="certificate-authority: $E2E_DIR/source/certs/apiserver.crt"
    k source create clusterrolebinding viewers --clusterrole=copier --group=viewers
    variant other "$trusted" "token: admin-token, as: nobody"
    run -3 --separate-stderr asks other
    [[ $stderr == *"copier-source: 7 of 7 rights are missing"* || $stderr == *"copier-source: 6 of 7 rights are missing"* ]]
    variant other "$trusted" "token: admin-token, as: jane, as-uid: '7', as-groups: [viewers], as-user-extra: {a/b: [c]}"
    run --separate-stderr asks other
    [[ $stderr == *"copier-source: 1 of 7 rights are missing"* ]]
    run -0 k other auth whoami -o json
    [ "$(json "d['status']['userInfo']['username']" <<<"$output")" = jane ]
}

@test "a proxy carries the requests by CONNECT and by SOCKS5, and sees none of them" {
    local port protocol
    proc_start tunnel "$ROOT/tests/e2e/tunnel.py" "$E2E_DIR/tunnel"
    wait_until 10 test -s "$E2E_DIR/tunnel/port"
    port=$(cat "$E2E_DIR/tunnel/port")
    for protocol in http socks5; do
        variant far "certificate-authority: $E2E_DIR/source/certs/apiserver.crt, proxy-url: '$protocol://127.0.0.1:$port'" "token: admin-token"
        run --separate-stderr asks far
        [[ $stderr == *"copier-source: all 7 rights are granted"* ]]
    done
    local host=$(server_of source)
    host=${host#https://}
    grep -qxF "connect ${host/:/ }" "$E2E_DIR/tunnel/tunnels"
    grep -qxF "socks5 ${host/:/ }" "$E2E_DIR/tunnel/tunnels"
    proc_stop tunnel
    run --separate-stderr asks far
    [ "$status" -ne 0 ]
    [[ $stderr == *"copier-source: "*"(through its proxy): "* ]]
}

@test "a token and a certificate that are renewed on disk are used without a restart" {
    local name
    for name in robot1 robot2; do
        k source create serviceaccount $name
        k source create clusterrolebinding $name --clusterrole=copier --serviceaccount=default:$name
    done
    certify renewed
    k destination create clusterrolebinding renewed --clusterrole=copier --user=renewed
    variant turn-source "certificate-authority: ../source/certs/apiserver.crt" "tokenFile: token"
    variant turn-destination "certificate-authority: ../destination/certs/apiserver.crt" \
        "client-certificate: user.crt, client-key: user.key" destination
    k source create token robot1 >"$E2E_DIR/turn-source/token"
    cp "$E2E_DIR/ca/copier.crt" "$E2E_DIR/turn-destination/user.crt"
    cp "$E2E_DIR/ca/copier.key" "$E2E_DIR/turn-destination/user.key"
    declare_clusters turn turn-source turn-destination
    declare_sync turn copy turn-source turn-destination <<-'ENTRIES'
	- group: ""
	  version: v1
	  resource: configmaps
	  filters: {nameSelector: {regex: ["^r"]}}
	ENTRIES
    k source create configmap r1 --from-literal=a=1
    run_start turn
    wait_until 60 k destination get configmap r1
    k source create token robot2 >"$E2E_DIR/turn-source/token"
    cp "$E2E_DIR/ca/renewed.crt" "$E2E_DIR/turn-destination/user.crt"
    cp "$E2E_DIR/ca/renewed.key" "$E2E_DIR/turn-destination/user.key"
    k source delete serviceaccount robot1
    k destination delete clusterrolebinding copier
    kube_restart source apiserver # ends the watches, which the first token began
    k source create configmap r2 --from-literal=a=1
    wait_until 120 k destination get configmap r2
    wait_until 20 status_is turn copy phase Live
    ! says turn "the changed resources are in effect"
    run_stop turn
    k destination create clusterrolebinding copier --clusterrole=copier --user=copier
}

# ---- Rights that come and go, while others stay ----

partly() { # RESOURCE...: what the user part may read of the source
    k source apply -f - >&2 <<-RIGHTS
	apiVersion: rbac.authorization.k8s.io/v1
	kind: ClusterRole
	metadata: {name: part}
	rules:
	- {apiGroups: ["", rbac.authorization.k8s.io], resources: [$1, namespaces], verbs: [list, watch]}
	- {apiGroups: [""], resources: [namespaces], resourceNames: [default], verbs: [get]}
	- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [list, watch]}
	RIGHTS
}
may() { # CLUSTER VERB RESOURCE
    k "part-$1" auth can-i "$2" "$3"
}
may_not() {
    ! may "$@"
}
of_destination() { # RESOURCE NAME
    k destination get "$1" "$2"
}
gone_there() {
    ! of_destination "$@"
}

@test "a Role that would grant more than resilog has is held with the server's reason, and goes through once it has that" {
    local name
    certify part
    for name in source destination; do
        by_certificate $name part
    done
    partly "configmaps, secrets, roles"
    k destination create clusterrole part --verb=get,list,create,update,delete \
        --resource=configmaps,secrets,roles.rbac.authorization.k8s.io,namespaces
    for name in source destination; do
        k $name create clusterrolebinding part --clusterrole=part --user=part
    done
    declare_clusters part part-source part-destination
    declare_sync part copy part-source part-destination <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {nameSelector: {regex: ["^p"]}}}
	- {version: v1, resource: secrets, filters: {nameSelector: {regex: ["^p"]}}}
	- {group: rbac.authorization.k8s.io, version: v1, resource: roles, filters: {nameSelector: {regex: ["^p"]}}}
	ENTRIES
    k source create configmap p1 --from-literal=a=1
    k source create secret generic p1 --from-literal=a=MARKER-1
    k source create role p-reader --verb=get --resource=pods
    run_start part
    wait_until 60 of_destination configmap p1
    wait_until 30 of_destination secret p1
    wait_until 30 status_is part copy held 1
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/part.data" -o json copy
    [ "$(json '[h["class"] + " " + h["key"] for h in d]' <<<"$output")" = '["forbidden rbac.authorization.k8s.io/roles/default/p-reader"]' ]
    run -0 "$RESILOG" holds show --data "$E2E_DIR/part.data" copy role/p-reader
    [[ $output == *'user "part"'*"is attempting to grant RBAC permissions not currently held"*'Resources:["pods"], Verbs:["get"]'* ]]
    ! of_destination role p-reader
    k destination create clusterrole part-pods --verb=get --resource=pods
    k destination create clusterrolebinding part-pods --clusterrole=part-pods --user=part
    wait_until 20 may destination get pods
    "$RESILOG" holds retry --data "$E2E_DIR/part.data" copy role/p-reader
    wait_until 30 of_destination role p-reader
    wait_until 30 status_is part copy held 0
}

@test "a right that is taken away stops that kind alone, deletes nothing, and is used again when it is given back" {
    partly "configmaps, roles"
    wait_until 20 may_not source list secrets
    kube_restart source apiserver # ends the watches, which the server asks no rights of again
    wait_until 60 status_has part copy lastError '*secrets*forbidden*'
    k source create secret generic p2 --from-literal=a=MARKER-2
    k source delete secret p1
    k source create configmap p2 --from-literal=a=1
    k source delete configmap p1
    wait_until 60 of_destination configmap p2
    wait_until 30 gone_there configmap p1
    of_destination secret p1
    partly "configmaps, secrets, roles"
    wait_until 120 of_destination secret p2 # it is asked again after 30 s
    wait_until 30 gone_there secret p1
    wait_until 30 status_is part copy lastError ""
    status_is part copy phase Live
    run_stop part
}

# gives FILE: a program for exec that counts its runs in FILE.runs and gives the token in FILE, for $E2E_LIFE seconds.
gives() {
    cat >"$1.sh" <<-'PROGRAM'
	#!/bin/sh
	echo "$KUBERNETES_EXEC_INFO" >>"$1.runs"
	echo "MARKER-of-the-program" >&2
	[ -s "$1" ] || { echo "MARKER-of-the-program"; exit 7; }
	printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s","expirationTimestamp":"%s"}}' \
	    "$(cat "$1")" "$(date -u -d "+${E2E_LIFE:-3600} seconds" +%Y-%m-%dT%H:%M:%SZ)"
	PROGRAM
    chmod +x "$1.sh"
}
by_program() { # NAME CLUSTER
    variant "$1" "certificate-authority: ../$2/certs/apiserver.crt" \
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./token.sh, args: ['$E2E_DIR/$1/token'], env: [{name: E2E_LIFE, value: '${E2E_LIFE:-3600}'}]}" "$2"
    gives "$E2E_DIR/$1/token"
}
runs_of() {
    wc -l <"$E2E_DIR/$1/token.runs"
}

@test "a program gives credentials only with --allow-exec, and nothing of its output is told" {
    by_program program source
    run -3 --separate-stderr asks program
    [[ $stderr == *"program/kubeconfig:4:"*"user.exec runs a program, which is allowed by --allow-exec alone"* ]]
    [ ! -e "$E2E_DIR/program/token.runs" ]
    run --separate-stderr asks program --allow-exec
    [ "$status" -ne 0 ]
    [[ $stderr == *"copier-source: "*'no credentials: the exec plugin "token.sh" ended with exit code 7'* ]]
    [[ $output$stderr != *MARKER* ]]
    echo admin-token >"$E2E_DIR/program/token"
    run --separate-stderr asks program --allow-exec
    [[ $stderr == *"copier-source: all 7 rights are granted"* ]]
    grep -q '"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}' "$E2E_DIR/program/token.runs"
}

@test "what a program gave is used until it expires, then the program is asked again" {
    local name before
    for name in robot3 robot4; do
        k source create serviceaccount $name
        k source create clusterrolebinding $name --clusterrole=copier --serviceaccount=default:$name
    done
    E2E_LIFE=2 by_program exec-source source
    k source create token robot3 >"$E2E_DIR/exec-source/token"
    by_program exec-destination destination
    echo admin-token >"$E2E_DIR/exec-destination/token"
    declare_clusters exec exec-source exec-destination
    declare_sync exec copy exec-source exec-destination <<-'ENTRIES'
	- group: ""
	  version: v1
	  resource: configmaps
	  filters: {nameSelector: {regex: ["^x"]}}
	ENTRIES
    k source create configmap x1 --from-literal=a=1
    run_start exec --allow-exec --log-level log=debug
    wait_until 60 k destination get configmap x1
    before=$(runs_of exec-source)
    k source create token robot4 >"$E2E_DIR/exec-source/token"
    k source delete serviceaccount robot3
    kube_restart source apiserver # ends the watches
    k source create configmap x2 --from-literal=a=1
    wait_until 120 k destination get configmap x2
    [ "$(runs_of exec-source)" -gt "$before" ]
    [ "$(runs_of exec-destination)" = 1 ]
    wait_until 20 status_is exec copy phase Live
    run_stop exec
    ! grep -q MARKER "$E2E_DIR/exec.log"
    says exec '"msg":"rlog append"'
    ! says exec '"msg":"object created in cluster"' # of another component
}

# ---- A source of which only some namespaces may be read ----

narrow_resources() { # NAMESPACES
    declare_sync narrow copy narrow-source destination "forceNamespaceCreation: true" <<-ENTRIES
	- {version: v1, resource: configmaps, namespaces: [$1], filters: {nameSelector: {regex: ["^c"]}}}
	ENTRIES
}
grant() { # NAMESPACE
    k source apply -f - >&2 <<-RIGHTS
	{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: narrow, namespace: $1}, rules: [
	  {apiGroups: [""], resources: [configmaps], verbs: [list, watch]}, {apiGroups: [""], resources: [namespaces], verbs: [get]}]}
	RIGHTS
    k source -n "$1" create rolebinding narrow --role=narrow --user=narrow >&2
}

@test "of a source where only some namespaces may be read these are read, and nothing beyond" {
    local ns
    certify narrow
    by_certificate source narrow
    sed -i 's/context: {cluster: test,/context: {cluster: test, namespace: team-a,/' "$(kube_config narrow-source)"
    for ns in team-a team-b team-c; do
        k source create namespace $ns
        k source -n $ns create configmap c1 --from-literal=a=1
    done
    grant team-a
    grant team-b
    run -1 k narrow-source get configmaps --all-namespaces
    declare_clusters narrow narrow-source destination
    narrow_resources "team-a, team-b"
    run_start narrow
    for ns in team-a team-b; do
        wait_until 60 k destination -n $ns get configmap c1
    done
    k source -n team-b create configmap c2 --from-literal=a=1
    wait_until 30 k destination -n team-b get configmap c2
    k source -n team-a delete configmap c1
    gone() { ! k destination -n team-a get configmap c1; }
    wait_until 30 gone
    [ "$(status narrow copy lastError)" = "" ]
    wait_until 30 status_has narrow copy phase Live
    ! k destination get namespace team-c
}

@test "validate --live asks for the rights in each namespace, and what is missing is a Role there" {
    local ns
    narrow_resources "team-a, team-b, team-c"
    validate() { "$RESILOG" validate --live -f "$E2E_DIR/narrow" $(kubeconfig_options narrow); }
    run -3 --separate-stderr validate
    [[ $stderr == *"narrow-source: 3 of 7 rights are missing"* ]] # kube-system is the third
    grep -qF 'metadata: {name: resilog, namespace: team-c}' <<<"$output"
    ! grep -qF 'namespace: team-a}' <<<"$output"
}

@test "a namespace that may not be read is told, and the others go on" {
    wait_until 60 status_has narrow copy lastError '*configmaps/team-c*orbidden*'
    k source -n team-b create configmap c3 --from-literal=a=1
    wait_until 30 k destination -n team-b get configmap c3
    run_stop narrow
    grant team-c
    run_start narrow
    wait_until 60 k destination -n team-c get configmap c1
    run_stop narrow
}
