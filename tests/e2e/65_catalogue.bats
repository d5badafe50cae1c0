#!/usr/bin/env bats
# Bad input that needs no server, row by row: a test's name begins with the row of docs/reference/bad-input.md that it shows.
# Each test edits the good resources and says what must be in the message, and the exit code by its verb.
load lib

setup() {
    IN=$BATS_TEST_TMPDIR/in
    mkdir "$IN"
    for name in a b; do
        cat >>"$IN/clusters.yaml" <<-CLUSTER
	---
	apiVersion: assets.astronetes.io/v1alpha1
	kind: KubernetesCluster
	metadata: {name: $name}
	spec: {secretName: $name-kubeconfig}
	CLUSTER
        secret $name-kubeconfig >"$IN/secret-$name.yaml"
    done
    cat >"$IN/sync.yaml" <<-'SYNC'
	apiVersion: automation.astronetes.io/v1alpha1
	kind: LiveSynchronization
	metadata: {name: picky}
	spec:
	  plugin: kubernetes-objects-to-kubernetes
	  suspend: false
	  config:
	    sourceName: a
	    destinationName: b
	    replication:
	      resyncPeriod: 1h0m0s
	      effects: allow
	      resources:
	        - group: apps
	          version: v1
	          resource: deployments
	          filters:
	            selector: {matchLabels: {copy: "yes"}}
	            nameSelector:
	              regex: ["^c"]
	          transformation:
	            patch:
	              - {op: replace, path: /spec/replicas, value: 0}
	SYNC
}

# secret NAME: a Secret with a kubeconfig; its token and keys must not be in any message.
secret() {
    cat <<-SECRET
	apiVersion: v1
	kind: Secret
	metadata: {name: $1}
	stringData:
	  kubeconfig.yaml: |
	    apiVersion: v1
	    kind: Config
	    current-context: c
	    contexts:
	    - {name: c, context: {cluster: k, user: u}}
	    clusters:
	    - {name: k, cluster: {server: "https://$1.example:6443"}}
	    users:
	    - {name: u, user: {token: MARKER-token}}
	SECRET
}

# zookeeper: a Synchronization of two Databases, which stand behind it.
zookeeper() {
    cat >"$IN/zookeeper.yaml" <<-'ZOOKEEPER'
	apiVersion: automation.astronetes.io/v1alpha1
	kind: Synchronization
	metadata: {generateName: zk-}
	spec:
	  plugin: zookeeper-to-zookeeper-nodes
	  config:
	    sourceName: p
	    destinationName: q
	    rootPath: /test
	ZOOKEEPER
    for name in p q; do
        cat >>"$IN/zookeeper.yaml" <<-DATABASE
	---
	apiVersion: assets.astronetes.io/v1alpha1
	kind: Database
	metadata: {name: $name}
	spec: {zookeeper: {client: {servers: ["$name.example:2181"]}}}
	DATABASE
    done
}

# edit FILE SED-EXPRESSION: changes one of the good files; it is a mistake of the test if nothing changes.
edit() {
    cp "$IN/$1" "$BATS_TEST_TMPDIR/before"
    sed -E -i "$2" "$IN/$1"
    ! cmp -s "$IN/$1" "$BATS_TEST_TMPDIR/before" || { echo "the edit changed nothing: $2"; return 1; }
}

# says PATTERN...: $output has each of them, and nothing secret.
says() {
    local pattern
    for pattern; do
        [[ $output == *"$pattern"* ]] || { echo "no \"$pattern\" in: $output"; return 1; }
    done
    [[ $output != *MARKER-* ]] || { echo "a secret is in: $output"; return 1; }
}

# refused PATTERN...: validate and run end with 3 and say it; nothing is started.
refused() {
    run -3 "$RESILOG" validate -f "$IN"
    says "$@"
    run -3 "$RESILOG" run -f "$IN" --data "$BATS_TEST_TMPDIR/never" --log-format text
    says "$@"
    [ ! -e "$BATS_TEST_TMPDIR/never" ]
}

# accepted [PATTERN...]: validate ends with 0, and says it.
accepted() {
    run -0 "$RESILOG" validate -f "$IN"
    says "0 errors" "$@"
}

# rows: the numbers of the page that have an answer
rows() {
    sed -nE '/^\| [A-Z][0-9]+ /{/ \| \*not yet\*/d; s/^\| ([A-Z][0-9]+) .*/\1/p}' "$ROOT/docs/reference/bad-input.md"
}

@test "every row of docs/reference/bad-input.md has a test of its number, or a reason why not" {
    local row missing=
    [ "$(rows | wc -l)" -gt 60 ]
    for row in $(rows); do
        grep -qE "^@test \"([A-Z][0-9]+ )*$row " "$ROOT"/tests/e2e/*.bats ||
            grep -rqE "^(static void )?${row}_" "$ROOT/tests/unit" || missing="$missing $row"
    done
    [ -z "$missing" ] || { echo "no test of:$missing"; return 1; }
}

@test "the good resources are accepted" {
    accepted "1 synchronization, 0 errors, 0 warnings"
}

@test "synchronizations of every kind count as ones, and without any there is nothing to do" {
    zookeeper
    accepted "2 synchronizations, 0 errors, 0 warnings"
    edit zookeeper.yaml '1,/^---/d'
    rm "$IN/sync.yaml"
    accepted "0 synchronizations" "nothing to do"
}

@test "validate -o json lists all problems as one array" {
    edit sync.yaml 's/suspend: false/suspend: maybe/; s/op: replace/op: repalce/; s/^    sourceName: a/    bucketName: x\n&/'
    run -3 --separate-stderr "$RESILOG" validate -f "$IN" -o json
    [ -z "$stderr" ]
    python3 - "$output" <<-'CHECK'
	import json, sys
	d = json.loads(sys.argv[1])
	assert [(p["level"], p["place"].split("/")[-1], p["path"].split(".")[-1]) for p in d] == [
	    ("error", "sync.yaml:6:3", "suspend"),
	    ("warning", "sync.yaml:8:5", "bucketName"),
	    ("error", "sync.yaml:24:18", "op"),
	], d
	assert 'did you mean "replace"' in d[2]["message"], d
	CHECK
}

@test "validate -o json tells effects as well, and of good resources an empty array" {
    run -0 --separate-stderr "$RESILOG" validate -f "$IN" -o json
    [ "$output" = "[]" ]
    edit sync.yaml '/effects: allow/d'
    run -0 --separate-stderr "$RESILOG" validate -f "$IN" -o json
    [[ $output == '[{"level":"warning","place":"","path":"","message":"LiveSynchronization default/picky: its copies'*'}]' ]]
    run -2 "$RESILOG" validate -f "$IN" -o yaml
    [[ $output == *"text or json"* ]]
    run -2 "$RESILOG" validate -f "$IN" -o json --live
    [[ $output == *"not with --live"* ]]
}

# --- A. Custom resources

@test "A01 a resource without apiVersion is taken with a warning" {
    edit sync.yaml '/^apiVersion/d'
    accepted sync.yaml:1:1 'automation.astronetes.io/v1alpha1'
}

@test "A02 createRoutePath is taken for createRootPath, with a warning" {
    zookeeper
    edit zookeeper.yaml 's/rootPath: .*/&\n    createRoutePath: true/'
    accepted zookeeper.yaml:10: spec.config.createRoutePath createRootPath
}

@test "A03 fields of the reference's prose name the right place" {
    edit sync.yaml 's/^  suspend/  BucketRef: x\n&/'
    refused sync.yaml:6:3 spec.BucketRef config.bucketName
}

@test "A03 resources in spec name the right place" {
    edit sync.yaml 's/^  suspend/  resources: []\n&/'
    refused sync.yaml:6:3 spec.resources config.replication.resources
}

@test "A03 resources in an identifier is taken for resource, with a warning" {
    cp "$ROOT/tests/e2e/reference/8.2-task.yaml" "$IN/task.yaml"
    accepted task.yaml: 'spec.config.resources[0].identifier.resources' '"resource"'
}

@test "A04 filters.nameSelector is taken" {
    accepted "0 warnings"
}

@test "A06 the operation delete is taken for remove, with a warning" {
    edit sync.yaml 's/op: replace, (.*), value: 0/op: delete, \1/'
    accepted sync.yaml:23: 'patch[0].op' '"remove"'
}

@test "A07 a kind instead of a resource names the plural" {
    edit sync.yaml 's/resource: .*/resource: Deployment/'
    refused sync.yaml:16: 'resources[0].resource' '"Deployment"' '"deployments"'
}

@test "A08 a resource that is named twice is taken with a warning: the first entry that selects an object has it" {
    edit sync.yaml '$a\        - {group: apps, version: v1, resource: deployments}'
    accepted sync.yaml:24: 'resources[1]' 'first entry'
}

@test "A10 source and destination of one name are refused" {
    edit sync.yaml 's/destinationName: b/destinationName: a/'
    refused sync.yaml:9: spec.config.destinationName 'same KubernetesCluster'
}

@test "A11 a missing cluster names the nearest" {
    edit sync.yaml 's/sourceName: a/sourceName: aa/'
    refused sync.yaml:8: spec.config.sourceName default/aa 'known: a, b'
}

@test "A11 a missing Secret says what to do" {
    rm "$IN/secret-b.yaml"
    run -3 "$RESILOG" run -f "$IN" --data "$BATS_TEST_TMPDIR/never" --log-format text
    says clusters.yaml: spec.secretName default/b-kubeconfig --kubeconfig
    run -0 "$RESILOG" validate -f "$IN"
    says clusters.yaml: spec.secretName default/b-kubeconfig
}

@test "A11 a missing key of a Secret names the keys that are there" {
    edit secret-a.yaml 's/kubeconfig.yaml:/kubeconfig:/'
    refused clusters.yaml:5: spec.secretName '"kubeconfig.yaml"' 'its keys: kubeconfig'
}

@test "A12 a boolean among matchLabels is to be quoted" {
    edit sync.yaml 's/copy: "yes"/copy: true/'
    refused sync.yaml:18: selector.matchLabels.copy true quotes
}

@test "A13 an expression without values is refused" {
    edit sync.yaml 's/selector: .*/selector: {matchExpressions: [{key: a, operator: In, values: []}]}/'
    refused sync.yaml:18: 'matchExpressions[0]' 'at least one value'
}

@test "A13 an unknown operator names those there are" {
    edit sync.yaml 's/selector: .*/selector: {matchExpressions: [{key: a, operator: Is, values: [b]}]}/'
    refused sync.yaml:18: 'matchExpressions[0].operator' '"Is"' 'In, NotIn, Exists, DoesNotExist'
}

@test "A15 a negative number of replicas is out of range" {
    edit sync.yaml 's/^    replication:/    components: {processor: {replicas: -1}}\n&/'
    refused sync.yaml:10: components.processor.replicas -1 '0 to 2147483647'
}

@test "A15 a number of tasks beyond 32 bits is out of range" {
    edit sync.yaml 's/^    replication:/    components: {processor: {concurrentTasks: 2147483648}}\n&/'
    refused sync.yaml:10: components.processor.concurrentTasks 2147483648 '1 to 2147483647'
}

@test "A15 no tasks at all is out of range" {
    edit sync.yaml 's/^    replication:/    components: {processor: {concurrentTasks: 0}}\n&/'
    refused sync.yaml:10: components.processor.concurrentTasks '1 to 2147483647'
}

@test "A16 an unknown log level names those there are" {
    edit sync.yaml 's/^    replication:/    components: {processor: {logLevel: verbose}}\n&/'
    refused sync.yaml:10: components.processor.logLevel '"verbose"' 'debug, info, warn, error'
}

@test "A17 replace without a value is refused" {
    edit sync.yaml 's/, value: 0//'
    refused sync.yaml:23: 'patch[0]' '"value"' replace
}

@test "A17 null is a value" {
    edit sync.yaml 's/value: 0/value: null/'
    accepted "0 warnings"
}

@test "A18 a string is no boolean" {
    edit sync.yaml 's/suspend: false/suspend: "false"/'
    refused sync.yaml:6:3 spec.suspend 'true or false' '"false"' 'without quotes'
}

@test "A19 an unknown plugin names what there is" {
    edit sync.yaml 's/plugin: .*/plugin: objects/'
    refused sync.yaml:5:3 spec.plugin '"objects"' kubernetes-objects-to-kubernetes
}

@test "A20 a name of 254 characters is refused" {
    edit sync.yaml "s/name: picky/name: $(printf 'a%.0s' {1..254})/"
    refused sync.yaml:3: metadata.name 253
}

@test "A20 upper case in a name is refused" {
    edit sync.yaml 's/name: picky/name: Picky/'
    refused sync.yaml:3: metadata.name '"Picky"' 'lower-case letters'
}

@test "A20 a dash at the end of a name is refused" {
    edit sync.yaml 's/name: picky/name: picky-/'
    refused sync.yaml:3: metadata.name '"picky-"'
}

@test "A20 a label of 64 characters is refused" {
    edit sync.yaml "s/copy: \"yes\"/copy: $(printf 'a%.0s' {1..64})/"
    refused sync.yaml:18: selector 63
}

@test "A21 a spelling mistake in a field names the nearest" {
    edit sync.yaml 's/resyncPeriod/resycnPeriod/'
    refused sync.yaml:11:7 spec.config.replication.resycnPeriod 'did you mean "resyncPeriod"'
}

@test "A22 a file of more than 16 MiB is refused" {
    head -c 17000000 /dev/zero | tr '\0' '#' >"$IN/big.yaml"
    refused big.yaml 16777216
}

@test "A22 20,000 entries are more than allowed" {
    python3 -c 'print("        - {version: v1, resource: configmaps}\n" * 20000)' >>"$IN/sync.yaml"
    refused sync.yaml:13:7 spec.config.replication.resources 20001 1000
}

@test "A23 the Secret of another namespace cannot be named" {
    edit clusters.yaml 's#secretName: a-#secretName: other/a-#'
    refused clusters.yaml:5: spec.secretName '"other/a-kubeconfig"' 'same namespace'
}

@test "A23 a Secret cannot be named by a path" {
    edit clusters.yaml 's#secretName: a-#secretName: ../other/a-#'
    refused clusters.yaml:5: spec.secretName '"../other/a-kubeconfig"' 'same namespace'
}

bucket() { # SPEC
    printf 'apiVersion: assets.astronetes.io/v1alpha1\nkind: Bucket\nmetadata: {name: x}\nspec: %s\n' "$1" >"$IN/bucket.yaml"
}

@test "A24 a Bucket of no provider is refused" {
    bucket '{}'
    refused bucket.yaml:4: spec 'generic, gcpCloudStorage, awsS3'
}

@test "A24 a Bucket of two providers is refused" {
    bucket '{awsS3: {name: x, region: r, secretName: z}, gcpCloudStorage: {name: x, secretName: z}}'
    refused bucket.yaml:4: spec 'generic, gcpCloudStorage, awsS3'
}

@test "A26 a file with a byte order mark and carriage returns is taken" {
    edit sync.yaml '1s/^/\xEF\xBB\xBF/; s/$/\r/'
    accepted "0 warnings"
}

@test "A26 a letter of another script in a name is refused" {
    edit sync.yaml 's/name: picky/name: pіcky/'
    refused sync.yaml:3: metadata.name
}

@test "A27 of two documents, one of them wrong, none is started and all errors are told" {
    sed 's/picky/wrong/; s/suspend: false/suspend: 1/; s/op: replace/op: repalce/' "$IN/sync.yaml" >"$IN/second"
    { echo ---; cat "$IN/second"; } >>"$IN/sync.yaml"
    refused sync.yaml:30:3 spec.suspend sync.yaml:47: '"repalce"'
}

# --- B. YAML and JSON documents

@test "B28 a tab is no indentation" {
    edit sync.yaml 's/^  config:/\tconfig:/'
    refused sync.yaml:7:1 tab
}

@test "B28 lost indentation is told where it is seen" {
    edit sync.yaml 's/^ +//'
    refused sync.yaml:
}

@test "B29 a key that stands twice is refused" {
    edit sync.yaml 's/^  suspend: false/&\n&/'
    refused sync.yaml:7:3 '"suspend"' twice
}

@test "B30 aliases are refused at the first" {
    edit sync.yaml 's/^metadata: .*/metadata: \&m {name: picky}/'
    refused sync.yaml:3: anchor
}

@test "B30 nine levels of nine aliases are refused at the first" {
    python3 -c '
print("a0: &a0 [x,x,x,x,x,x,x,x,x]")
for i in range(1, 9): print(f"a{i}: &a{i} [" + ",".join(["*a%d" % (i - 1)] * 9) + "]")' >"$IN/bomb.yaml"
    refused bomb.yaml:1: anchor
}

@test "B31 10,000 nested lists are deeper than allowed" {
    python3 -c 'print("[" * 10000)' >"$IN/deep.yaml"
    refused deep.yaml:1: 64
}

@test "B31 10,000 nested mappings are deeper than allowed" {
    python3 -c 'print("{a: " * 10000)' >"$IN/deep.yaml"
    refused deep.yaml:1: 64
}

@test "B32 a tag of a program is refused" {
    edit sync.yaml 's/suspend: false/suspend: !!python\/object:x false/'
    refused sync.yaml:6: tag
}

@test "B32 a tag of one's own is refused" {
    edit sync.yaml 's/suspend: false/suspend: !mine false/'
    refused sync.yaml:6: tag
}

@test "B32 a merge key is refused" {
    edit sync.yaml 's/suspend: false/<<: {suspend: false}/'
    refused sync.yaml:6:3 '<<'
}

@test "B33 yes and on are booleans, as kubectl takes them" {
    edit sync.yaml 's/suspend: false/suspend: on/'
    accepted "0 warnings"
}

@test "B33 what is no string is refused where one is needed" {
    local value
    for value in yes 012 1e3 0x1F true 1.5; do
        cp "$IN/sync.yaml" "$BATS_TEST_TMPDIR/sync"
        edit sync.yaml "s/copy: \"yes\"/copy: $value/"
        refused sync.yaml:18: selector.matchLabels.copy string quotes
        cp "$BATS_TEST_TMPDIR/sync" "$IN/sync.yaml"
    done
}

@test "B33 a number that JSON does not know is refused" {
    edit sync.yaml 's/copy: "yes"/copy: .inf/'
    refused sync.yaml:18: infinity quotes
}

@test "B33 a date is a string" {
    edit sync.yaml 's/copy: "yes"/copy: 2024-02-09/'
    accepted "0 warnings"
}

@test "B34 a NUL byte is refused with its place" {
    edit sync.yaml 's/name: picky/name: pi\x00cky/'
    refused sync.yaml:3:
}

@test "B34 bytes that are no UTF-8 are refused with their place" {
    edit sync.yaml 's/name: picky/name: pi\xffcky/'
    refused sync.yaml:3: UTF-8
}

@test "B34 a sign in more bytes than it needs is refused with its place" {
    edit sync.yaml 's/name: picky/name: pi\xc0\xafcky/'
    refused sync.yaml:3: UTF-8
}

@test "B34 half of a surrogate pair is refused with its place" {
    edit sync.yaml 's/name: picky/name: "pi\\ud800cky"/'
    refused sync.yaml:3:
}

@test "B35 UTF-16 is named" {
    iconv -f UTF-8 -t UTF-16 "$IN/sync.yaml" >"$IN/wide.yaml"
    refused wide.yaml UTF-16
}

@test "B36 a file without a document is an error where it was asked for" {
    local text
    for text in '' '# nothing' ---; do
        echo "$text" >"$BATS_TEST_TMPDIR/empty.yaml"
        run -3 "$RESILOG" validate -f "$BATS_TEST_TMPDIR/empty.yaml"
        says empty.yaml "no resource"
        run -3 "$RESILOG" run -f "$BATS_TEST_TMPDIR/empty.yaml" --data "$BATS_TEST_TMPDIR/never"
    done
}

@test "B37 numbers of any size are values of a patch" {
    edit sync.yaml 's/value: 0/value: [9223372036854775808, 9007199254740993, -0, 1e400]/'
    accepted "0 warnings"
}

@test "B37 a number beyond 64 bits is out of range in a field" {
    edit sync.yaml 's/^    replication:/    components: {processor: {replicas: 9223372036854775808}}\n&/'
    refused sync.yaml:10: components.processor.replicas 9223372036854775808 '0 to 2147483647'
}

@test "B38 what follows a JSON document is refused" {
    echo '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}} y' >"$IN/more.json"
    refused more.json:1:
}

@test "B39 a scalar of 200 MB is refused before it is read whole" {
    { printf 'a: '; head -c 200000000 /dev/zero | tr '\0' x; } >"$BATS_TEST_TMPDIR/long.yaml"
    run -3 bash -c 'ulimit -v 120000; exec "$@"' bash "$RESILOG" validate -f "$BATS_TEST_TMPDIR/long.yaml"
    says long.yaml 16777216
}

# --- C. kubeconfigs of a Secret

# user FIELDS: the user of a's kubeconfig
user() {
    edit secret-a.yaml "s|user: \{token.*|user: {$1}}|"
}
# end_of CERTIFICATE: its last second, as resilog writes it
end_of() {
    date -u -d "$(openssl x509 -noout -enddate -in "$1" | sed 's/.*=//')" +%FT%T
}
# cluster FIELDS: the cluster of a's kubeconfig
cluster() {
    edit secret-a.yaml "s|cluster: \{server.*|cluster: {$1}}|"
}

@test "C40 a program that gives credentials is refused, and not run" {
    user "exec: {command: touch, args: [$BATS_TEST_TMPDIR/ran], apiVersion: client.authentication.k8s.io/v1}"
    refused secret-a.yaml: kubeconfig.yaml exec token
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "C41 an auth-provider is refused" {
    user 'auth-provider: {name: gcp}'
    refused secret-a.yaml: auth-provider token
}

@test "C42 a file with a token is refused" {
    user 'tokenFile: /etc/hostname'
    refused secret-a.yaml: tokenFile token
}

@test "C42 a file with a certificate is refused" {
    user 'client-certificate: /etc/hostname, client-key: /etc/hostname'
    refused secret-a.yaml: client-certificate client-certificate-data
}

@test "C42 a file with a certificate authority is refused" {
    cluster 'server: "https://x:6443", certificate-authority: /etc/hostname'
    refused secret-a.yaml: certificate-authority-data
}

@test "C43 a kubeconfig without current-context names the contexts" {
    edit secret-a.yaml '/current-context/d'
    refused secret-a.yaml: current-context 'there are: c'
}

@test "C43 a current-context that is not there names the contexts" {
    edit secret-a.yaml 's/current-context: c/current-context: other/'
    refused secret-a.yaml: contexts '"other"' 'there are: c'
}

@test "C44 a certificate without its key is refused" {
    user "client-certificate-data: $(base64 -w0 <<<'-----BEGIN CERTIFICATE-----')"
    refused secret-a.yaml: "a client certificate without" client-key-data
}

@test "C44 a certificate that is no PEM text is refused" {
    user "client-certificate-data: $(base64 -w0 <<<'MARKER-certificate'), client-key-data: x"
    refused secret-a.yaml: client-certificate-data PEM
}

@test "C44 a certificate in the URL alphabet of base64 is refused" {
    user 'client-certificate-data: LS0t_LS0-, client-key-data: x'
    refused secret-a.yaml: client-certificate-data base64
}

@test "C47 a client certificate that has expired is a warning with its date" {
    local key=$BATS_TEST_TMPDIR/key cert=$BATS_TEST_TMPDIR/cert
    openssl genpkey -algorithm ed25519 -out "$key"
    openssl req -new -key "$key" -subj /CN=late | openssl x509 -req -key "$key" -days -1 -out "$cert"
    user "client-certificate-data: $(base64 -w0 <"$cert"), client-key-data: $(base64 -w0 <"$key")"
    accepted "1 warning" secret-a.yaml: "the client certificate of the kubeconfig expired at $(end_of "$cert")"
}

@test "C45 a server that need not prove who it is is refused" {
    cluster 'server: "https://x:6443", insecure-skip-tls-verify: true'
    refused secret-a.yaml: insecure-skip-tls-verify certificate-authority-data
}

@test "C46 a server that is spelled wrong is refused" {
    local server
    for server in http://example.com ftp://x ://x https:// https://fe80::1:6443 https://x:99999 'https://x y' \
        'https://x/../y' 'https://u:MARKER-password@x'; do
        cp "$IN/secret-a.yaml" "$BATS_TEST_TMPDIR/secret"
        cluster "server: \"$server\""
        echo "with $server"
        refused secret-a.yaml: cluster.server
        cp "$BATS_TEST_TMPDIR/secret" "$IN/secret-a.yaml"
    done
}

@test "C46 a server without a port, with a path, and an IPv6 address in brackets are taken" {
    local server
    for server in https://x https://x/clusters/1 'https://[fe80::1]:6443'; do
        cp "$IN/secret-a.yaml" "$BATS_TEST_TMPDIR/secret"
        cluster "server: \"$server\""
        accepted "0 warnings"
        cp "$BATS_TEST_TMPDIR/secret" "$IN/secret-a.yaml"
    done
}

@test "C48 two users of one name are refused" {
    edit secret-a.yaml 's/^( +)- \{name: u, .*/&\n&/'
    refused secret-a.yaml: users 'same name'
}

@test "C49 a proxy is refused" {
    cluster 'server: "https://x:6443", proxy-url: "socks5://127.0.0.1"'
    refused secret-a.yaml: proxy-url
}

@test "C50 impersonation is refused" {
    user 'token: MARKER-token, as: "system:admin", as-groups: ["system:masters"]'
    refused secret-a.yaml: as
}

@test "C51 a Secret without kubeconfig.yaml names its keys" {
    edit secret-a.yaml 's/kubeconfig.yaml:/config:/'
    refused clusters.yaml:5: '"kubeconfig.yaml"' 'its keys: config'
}

# --- E. Patches

# path TEXT: of the only operation
path() {
    edit sync.yaml "s|path: /spec/replicas|path: \"$1\"|"
}

@test "E70 a path is a JSON pointer" {
    local text
    for text in spec/replicas /a~2b /a~; do
        cp "$IN/sync.yaml" "$BATS_TEST_TMPDIR/sync"
        path "$text"
        refused sync.yaml:23: 'patch[0].path' "\"$text\""
        cp "$BATS_TEST_TMPDIR/sync" "$IN/sync.yaml"
    done
}

@test "E74 what makes an object itself cannot be patched" {
    local text
    for text in '' /metadata /metadata/name /metadata/namespace /metadata/uid /kind /apiVersion; do
        cp "$IN/sync.yaml" "$BATS_TEST_TMPDIR/sync"
        path "$text"
        refused sync.yaml:23: 'patch[0].path' "\"$text\""
        cp "$BATS_TEST_TMPDIR/sync" "$IN/sync.yaml"
    done
}

@test "E77 other operations than add, replace and remove are refused" {
    local op
    for op in test copy move Replace; do
        cp "$IN/sync.yaml" "$BATS_TEST_TMPDIR/sync"
        edit sync.yaml "s/op: replace/op: $op/"
        refused sync.yaml:23: 'patch[0].op' "\"$op\"" 'add, replace, remove'
        cp "$BATS_TEST_TMPDIR/sync" "$IN/sync.yaml"
    done
}

@test "E77 an operation with two ops is refused" {
    edit sync.yaml 's/op: replace/op: replace, op: remove/'
    refused sync.yaml:23: '"op"' twice
}

@test "E79 100,000 operations are more than allowed" {
    python3 -c 'print("              - {op: remove, path: /a}\n" * 100000)' >>"$IN/sync.yaml"
    refused sync.yaml:22: transformation.patch 100001 1000
}

# --- G. Regular expressions and selectors

# pattern TEXT: the only pattern, in single quotes
pattern() {
    edit sync.yaml "s~regex: .*~regex: ['$1']~"
}

@test "G88 a glob is taken as one, with a warning" {
    pattern '*.test'
    accepted sync.yaml:20: 'regex[0]' '"*.test"' '^.*\.test$'
}

@test "G91 what is no regular expression is refused with its place" {
    local text
    for text in '[' '(?' 'a{2,1}' 'a{1,99999}' '(*UTF)a' '(a)\\1' '\\C' 'a\\'; do
        cp "$IN/sync.yaml" "$BATS_TEST_TMPDIR/sync"
        pattern "$text"
        echo "with $text"
        refused sync.yaml:20: 'regex[0]'
        cp "$BATS_TEST_TMPDIR/sync" "$IN/sync.yaml"
    done
}

@test "G91 an empty pattern is an error and not all names" {
    pattern ''
    refused sync.yaml:20: 'regex[0]' empty
}

@test "G91 a pattern of 100 KiB is longer than allowed" {
    python3 - "$IN/sync.yaml" <<-'LONG'
	import sys
	text = open(sys.argv[1]).read()
	open(sys.argv[1], "w").write(text.replace("^c", "x" * 102400))
	LONG
    refused sync.yaml:20: 'regex[0]' 4096
}

# --- I. ZooKeeper

@test "I107 a rootPath that is no path, or reserved, is refused" {
    local path
    for path in '/a/../b' '/a//b' '/a/' a '"/a\\0b"' '"/\\u0001"' '"/\\uFFFF"' /zookeeper /zookeeper/quota; do
        zookeeper
        edit zookeeper.yaml "s~rootPath: .*~rootPath: $path~"
        echo "with $path"
        refused zookeeper.yaml:9: spec.config.rootPath
    done
}

@test "I112 an excludePathRegexp that excludes the root is refused" {
    zookeeper
    edit zookeeper.yaml 's~rootPath: .*~&\n    excludePathRegexp: te~'
    refused zookeeper.yaml:10: spec.config.excludePathRegexp '"/test"'
}
