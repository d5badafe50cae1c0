#!/usr/bin/env bats
# What the source serves arrives byte for byte.
load lib
load resilog

KINDS="/v1/configmaps /v1/secrets example.com/v1/widgets"

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start source
    kube_start destination
    local cluster
    for cluster in source destination; do
        k "$cluster" create namespace exact
        k "$cluster" apply -f "$ROOT/tests/e2e/manifests/crds.yaml"
        k "$cluster" wait --for=condition=Established crd/widgets.example.com --timeout=30s
    done
    declare_clusters exact source destination
    declare_sync exact exactly source destination <<-'ENTRIES'
	- {version: v1, resource: configmaps, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: exact}}}}
	- {version: v1, resource: secrets, filters: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: exact}}}}
	- {group: example.com, version: v1, resource: widgets}
	ENTRIES
    run_start exact
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

# post PLURAL < JSON: sends the bytes as they are, which kubectl's own reading would not.
post() {
    local path=/api/v1
    [ "$1" != widgets ] || path=/apis/example.com/v1
    cat >"$BATS_TEST_TMPDIR/body.json"
    k source create --raw "$path/namespaces/exact/$1" -f "$BATS_TEST_TMPDIR/body.json" >/dev/null
}
widget() { # NAME < SPEC
    printf '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"%s","namespace":"exact"},"spec":%s}' "$1" "$(cat)" | post widgets
}
equal() { # LEAST
    wait_same 30 source destination --resource $KINDS --namespaces exact --least "$1"
}
served() { # CLUSTER KIND NAME: the bytes
    local path=/api/v1
    [ "$2" != widgets ] || path=/apis/example.com/v1
    k "$1" get --raw "$path/namespaces/exact/$2/$3"
}

@test "B37 numbers beyond 2^53 and of every form stay as they are" {
    widget numbers <<<'{"big":9007199254740993,"bigger":9223372036854775807,"least":-9223372036854775808,"f":0.1,"e":1e-7,"zero":0,
        "list":[9007199254740993,-1,1.5,100000000000000000000]}'
    equal 1
    [[ $(served destination widgets numbers) == *'"big":9007199254740993,"bigger":9223372036854775807'* ]]
}

@test "escaped, control and non-ASCII characters stay as they are" {
    python3 -c '
import json
spec = {"controls": "".join(map(chr, range(0x20))), "delete": "\x7f\x80\x9f", "lines": "\u2028\u2029\ufeff\ufffe\uffff",
        "html": "<a href=\"x\">&amp;</a>", "quotes": "\"\\/\b\f\n\r\t", "emoji": "\U0001f600 \U0010ffff", "words": "žluťoučký 猫 عربى",
        "combining": "e\u0301 \u00e9", "": "empty key", "a/b~c\"d\\": "key", " \u00a0": "blank key", "\u0001": "control key"}
print(json.dumps(spec))' | widget characters
    equal 2
    [[ $(served destination widgets characters) == *'猫'* ]]
}

@test "empty maps, empty lists, nulls and deep nesting stay as they are" {
    widget empties <<<'{"map":{},"list":[],"nothing":null,"text":"","false":false,"lists":[[],[[]],{},null,""],"maps":{"a":{"b":{}},"c":null}}'
    python3 -c 'print("{\"deep\":" + "[" * 60 + "{\"end\":{}}" + "]" * 60 + "}")' | widget deep
    equal 4
    [[ $(served destination widgets empties) == *'"nothing":null'* ]]
}

@test "names of 253 characters arrive" {
    local name label
    label=$(printf 'a%.0s' {1..61})
    name=x$label.y$label.z$label.w$label
    name=$name$(printf 'c%.0s' $(seq $((253 - ${#name}))))
    [ "${#name}" = 253 ]
    printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"a":"b"}}' "$name" | post configmaps
    equal 5
    k destination -n exact get configmap "$name"
    k source -n exact delete configmap "$name"
    gone() { ! k destination -n exact get configmap "$name"; }
    wait_until 30 gone
}

@test "objects of 900 KiB arrive, in one value, in many keys and as binary" {
    python3 -c '
import json, random
r = random.Random(7)
text = "".join(r.choice("abcdefghijklmnop é\n\"\\\t") for _ in range(880 * 1024))
print(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one-value"}, "data": {"a": text[:870 * 1000]}}))' | post configmaps
    python3 -c '
import json
print(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "many-keys"},
                  "data": {"key-%05d" % i: "v" * 60 for i in range(9000)}}))' | post configmaps
    python3 -c '
import base64, json, random
data = random.Random(8).randbytes(900 * 1024)
print(json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "binary"}, "data": {"a": base64.b64encode(data).decode(), "b": ""}}))' | post secrets
    equal 7
}

@test "a change of one member leaves all others as they are, byte for byte" {
    local name
    for name in numbers characters empties; do
        k source -n exact patch widget $name --type=merge -p '{"spec":{"changed":[1,{"x":null}]}}'
    done
    k source -n exact patch configmap one-value --type=merge -p '{"data":{"b":"c"}}'
    equal 7
    k source -n exact patch widget empties --type=json -p '[{"op":"remove","path":"/spec/maps/c"},{"op":"add","path":"/spec/list/-","value":null}]'
    equal 7
    [[ $(served destination widgets empties) == *'"list":[null]'* ]]
}

@test "annotations and labels of the source stay as they are beside our marks" {
    k source -n exact annotate widget numbers 'example.com/text=line one
line "two" \ é' empty=
    k source -n exact label widget numbers a=b empty=
    equal 7
}

@test "the log holds the bytes that the source served" {
    "$RESILOG" log show --data "$E2E_DIR/exact.data" -o json Widget/characters --tail 1 >"$E2E_DIR/shown.json"
    served source widgets characters >"$E2E_DIR/served.json"
    python3 -c '
import sys
shown, served = (open(f, "rb").read() for f in sys.argv[1:])
sys.exit(b"\"object\":" + served.strip() not in shown)' "$E2E_DIR/shown.json" "$E2E_DIR/served.json"
    run_stop exact
}
