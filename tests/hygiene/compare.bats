#!/usr/bin/env bats
# tests/e2e/compare.py finds and names each way in which two clusters can differ; it reads their answers from files here.
bats_require_minimum_version 1.5.0

setup() {
    COMPARE=$(cd "$BATS_TEST_DIRNAME/../e2e" && pwd)/compare.py
    cd "$BATS_TEST_TMPDIR"
    answer destination api/v1/namespaces/kube-system '{"kind":"Namespace","metadata":{"name":"kube-system","uid":"the-uid"}}'
    maps source "$(map a '' '"k":"v","n":"1"')" "$(map b '' '"k":"v"')"
    maps destination "$(copy a '"k":"v","n":"1"')" "$(copy b '"k":"v"')"
}
answer() { # SIDE PATH JSON
    mkdir -p "$(dirname "$1/$2")"
    printf '%s' "$3" >"$1/$2.json"
}
list() { # SIDE PATH KIND OBJECT...
    local IFS=,
    answer "$1" "$2" "{\"kind\":\"$3List\",\"metadata\":{\"resourceVersion\":\"$RANDOM\"},\"items\":[${*:4}]}"
}
maps() { # SIDE OBJECT...
    list "$1" api/v1/configmaps ConfigMap "${@:2}"
}
secrets() { # SIDE OBJECT...
    list "$1" api/v1/secrets Secret "${@:2}"
}
# metadata NAME [MORE]: as a server gives it, with what no two servers have in common.
metadata() {
    printf '"metadata":{"name":"%s","namespace":"ns","uid":"u%s","resourceVersion":"%s","creationTimestamp":"%s"%s}' \
        "$1" $RANDOM $RANDOM $RANDOM "${2:-}"
}
map() { # NAME METADATA-MORE DATA [MORE]
    printf '{%s,"data":{%s}%s}' "$(metadata "$1" "$2")" "$3" "${4:-}"
}
mark() { # NAME [KIND [UID]]
    printf ',"annotations":{"sync.resilog.io/owner":"v1 %s 0123456789abcdef %s/ns/%s"}' "${3:-the-uid}" "${2:-/configmaps}" "$1"
}
copy() { # NAME DATA [MORE]
    map "$1" "$(mark "$1")" "$2" "${3:-}"
}
compare() { # [OPTION...]
    "$COMPARE" source destination --resource /v1/configmaps "$@"
}
# differs LINE...: these lines and no other, and the exit code 1.
differs() {
    run -1 compare
    [ "$output" = "$(printf '%s\n' "$@")" ] || { echo "$output"; return 1; }
}

@test "two clusters that hold the same are equal, whatever the servers wrote into the objects" {
    run -0 compare
    [ "$output" = "2 objects are equal" ]
}

@test "another value is found" {
    maps destination "$(copy a '"k":"w","n":"1"')" "$(copy b '"k":"v"')"
    differs 'configmaps ns/a: /data/k: source "v", destination "w"'
}

@test "a value that is spelled differently, and one of another type, are found" {
    maps source "$(map a '' '"k":"v"' ',"number":1.0,"flag":true')"
    maps destination "$(copy a '"k":"\u0076"' ',"number":1,"flag":"true"')"
    differs 'configmaps ns/a: /data/k: source "v", destination "\u0076"' 'configmaps ns/a: /number: source 1.0, destination 1' \
        'configmaps ns/a: /flag: source true, destination "true"'
}

@test "a member that is missing, and one too many, are found" {
    maps destination "$(copy a '"k":"v"')" "$(copy b '"k":"v","more":""')"
    differs 'configmaps ns/a: /data/n: source "1", destination nothing' 'configmaps ns/b: /data/more: source nothing, destination ""'
}

@test "a list of another order or length is found" {
    maps source "$(map a '' '' ',"list":["x","y"]')" "$(map b '' '' ',"list":["x","y"]')"
    maps destination "$(copy a '' ',"list":["y","x"]')" "$(copy b '' ',"list":["x"]')"
    differs 'configmaps ns/a: /list/0: source "x", destination "y"' 'configmaps ns/a: /list/1: source "y", destination "x"' \
        'configmaps ns/b: /list: source ["\"x\"", "\"y\""], destination ["\"x\""]'
}

@test "another label and another annotation are found" {
    maps source "$(map a ',"labels":{"app":"shop"},"annotations":{"note":"x"}' '"k":"v"')"
    maps destination "$(map a "$(mark a | sed 's/}$/,"note":"y"}/'),\"labels\":{\"app\":\"shops\"}" '"k":"v"')"
    differs 'configmaps ns/a: /metadata/labels/app: source "shop", destination "shops"' \
        'configmaps ns/a: /metadata/annotations/note: source "x", destination "y"'
}

@test "a missing object is found" {
    maps destination "$(copy a '"k":"v","n":"1"')"
    differs 'configmaps ns/b: missing in the destination'
    maps destination
    differs 'configmaps ns/a: missing in the destination' 'configmaps ns/b: missing in the destination'
}

@test "a copy without its source is found, an object of somebody else is not" {
    maps source "$(map a '' '"k":"v"')"
    maps destination "$(copy a '"k":"v"')" "$(copy b '"k":"v"')" "$(map theirs '' '"k":"v"')"
    differs 'configmaps ns/b: only in the destination'
}

@test "a copy without a mark, and one with another object's or cluster's mark, are found" {
    maps source "$(map a '' '')" "$(map b '' '')" "$(map c '' '')"
    maps destination "$(map a '' '')" "$(map b "$(mark x)" '')" "$(map c "$(mark c /configmaps other-uid)" '')"
    differs 'configmaps ns/a: the owner mark is missing' \
        "configmaps ns/b: the owner mark is 'v1 the-uid 0123456789abcdef /configmaps/ns/x'" \
        "configmaps ns/c: the owner mark is 'v1 other-uid 0123456789abcdef /configmaps/ns/c'"
}

@test "a difference in a Secret is found and its values are not shown" {
    secrets source "$(map s '' '"password":"MARKER-a"')"
    secrets destination "$(map s "$(mark s /secrets)" '"password":"MARKER-b"')"
    run -1 compare --resource /v1/secrets
    [ "$output" = "secrets ns/s: /data/password: source a value (not shown), destination a value (not shown)" ]
}

@test "a transformation is part of what is expected" {
    run -1 compare --patch '/v1/configmaps=[{"op":"replace","path":"/data/n","value":"2"}]'
    [ "$output" = 'configmaps ns/a: /data/n: source "2", destination "1"' ]
    maps destination "$(copy a '"k":"v","n":"2"')" "$(copy b '"k":"v"')"
    run -0 compare --patch '/v1/configmaps=[{"op":"replace","path":"/data/n","value":"2"}]'
}

@test "fewer objects than expected are no success, nor are none" {
    run -1 compare --least 3
    [[ $output == *"only 2 objects were compared, at least 3 were expected" ]]
    maps source
    maps destination
    run -1 compare
    run -1 compare --namespaces elsewhere
}

@test "an answer that cannot be had is neither equal nor different" {
    rm destination/api/v1/configmaps.json
    run -2 compare
}
