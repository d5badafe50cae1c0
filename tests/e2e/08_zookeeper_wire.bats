#!/usr/bin/env bats
# The ZooKeeper client against real servers, by zk_tool: every request, logins, TLS, a leader that is killed, two versions.
load lib

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    zk_start one
    ZK_TLS=1 zk_start three 3
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

# every_request SERVERS: what the client can do, below a node of its own.
every_request() {
    zk_tool "$1" create /t root
    zk_tool "$1" create /t/null
    zk_tool "$1" create /t/empty ''
    zk_tool "$1" create /t/closed secret rwcda:world:anyone,r:ip:127.0.0.1
    [ "$(zk_tool "$1" get /t)" = root ]
    zk_tool "$1" set /t changed 0
    run -1 zk_tool "$1" set /t again 0
    [[ $output == *"/t: bad version"* ]]
    run -1 zk_tool "$1" create /t x
    [[ $output == *"/t: node exists"* ]]
    run -1 zk_tool "$1" create /no/parent x
    [[ $output == *"/no/parent: no node"* ]]
    run -1 zk_tool "$1" delete /t
    [[ $output == *"/t: node has children"* ]]
    [ "$(zk_tool "$1" acl /t/closed)" = $'rwcda:world:anyone\nr:ip:127.0.0.1' ]
    zk_tool "$1" setacl /t/closed cdrwa:world:anyone
    [ "$(zk_tool "$1" acl /t/closed)" = rwcda:world:anyone ]
    [ "$(zk_tool "$1" ls /t | sort | tr '\n' ' ')" = 'closed empty null ' ]
    zk_tool "$1" delete /t/closed 0
    zk_tool "$1" multi 3 /t
    run -1 zk_tool "$1" multi 4 /t # none of it: three are there
    [[ $output == *"node exists"* ]]
    run -1 zk_tool "$1" get /t/n0000003
    zk_tool "$1" raise 4 /t
    [ "$(zk_tool "$1" whoami)" = ip:127.0.0.1 ]
    zk_tool "$1" dump /t | e2e_fields path text hex length children next version acl >"$E2E_DIR/dump"
    diff - "$E2E_DIR/dump" <<-'DUMP'
	/t|changed||7|5|10|1|['rwcda:world:anyone']
	/t/empty|||0|0|0|0|['rwcda:world:anyone']
	/t/n0000000|multi||5|0|0|0|['rwcda:world:anyone']
	/t/n0000001|multi||5|0|0|0|['rwcda:world:anyone']
	/t/n0000002|multi||5|0|0|0|['rwcda:world:anyone']
	/t/null|||0|0|0|0|['rwcda:world:anyone']
	DUMP
    zk_tool "$1" dump /t | grep -F '"path":"/t/empty","text":""'
    run ! grep -F '"path":"/t/null","text"' < <(zk_tool "$1" dump /t)
}
# as_modelled SERVERS MINOR: what unit tests take for a server answers as it does.
as_modelled() {
    "$(dirname "$RESILOG")/../tests/fakes/zk_model" "$1" "$2" 3000 5
}
zk_start_tool() { # PROCESS SERVERS-NAME COMMAND...
    proc_start "$1" "$(zk_program)" -t 40 "$(zk_servers "$2")" "${@:3}"
}
e2e_fields() { # NAME...: of lines of JSON
    python3 -c 'import json, sys
for line in sys.stdin:
    print("|".join(str(json.loads(line).get(name, "")) for name in sys.argv[1:]))' "$@"
}

@test "a server of 3.8 does what is asked" {
    every_request "$(zk_servers one)"
    as_modelled "$(zk_servers one)" 8
}

@test "a server of 3.9.5 does what is asked" {
    "$ZOOKEEPER/jars.sh" get 3.9.5 || skip "ZooKeeper 3.9.5 cannot be had: run tests/servers/zookeeper/jars.sh get 3.9.5"
    ZK_VERSION=3.9.5 zk_start newer
    every_request "$(zk_servers newer)"
    as_modelled "$(zk_servers newer)" 9
    zk_stop newer
}

@test "a watch tells every change of the tree below it, and nothing else" {
    local expected='watching /w /w/a /w/a /w/a/b /w/a/b /w/a '
    zk one create /w
    zk_start_tool watcher one watch 6 /w
    wait_until 10 grep -qx watching "$E2E_DIR/watcher.log"
    zk one create /beside x
    zk one set /w x
    zk one create /w/a x
    zk one set /w/a y
    zk one create /w/a/b x
    zk one delete /w/a/b
    zk one delete /w/a
    wait_until 10 proc_gone watcher
    [ "$(tr '\n' ' ' <"$E2E_DIR/watcher.log")" = "$expected" ]
}

@test "large transactions go out many at once, and large answers come back" {
    zk one create /bulk
    zk one bulk 20000 /bulk 200
    zk one create /large
    zk one bulk 20 /large 450000
    [ "$(zk one dump /bulk | wc -l)" -eq 20001 ]
    [ "$(zk one dump /bulk | sort | uniq | wc -l)" -eq 20001 ]
    [ "$(zk one get /large/n0000019 | wc -c)" -eq 450000 ]
}

@test "a node of the greatest size goes through, and one beyond is refused before it is sent" {
    head -c 1047900 /dev/zero >"$E2E_DIR/great"
    head -c 1048000 /dev/zero >"$E2E_DIR/greater"
    zk one create /great "@$E2E_DIR/great"
    zk one get /great | cmp - "$E2E_DIR/great"
    run -1 zk one set /great "@$E2E_DIR/greater"
    [[ $output == *"servers take 1048000 at most"* ]]
}

@test "a login by digest opens what is closed to others, and its password is told nowhere" {
    local servers
    servers=$(zk_servers one)
    zk_tool -u bob:s3cret "$servers" create /bobs x cdrwa:auth:
    [[ $(zk_tool -u bob:s3cret "$servers" acl /bobs) == rwcda:digest:bob:* ]]
    run -1 zk one get /bobs
    [[ $output == *"/bobs: not authorised"* ]]
    run -1 zk_tool -u bob:wrong "$servers" get /bobs
    [[ $output != *wrong* ]]
    [ "$(zk_tool -u bob:s3cret "$servers" get /bobs)" = x ]
    [ "$(zk_tool -u super:super "$servers" get /bobs)" = x ]
    [ "$(zk_tool -u super:super "$servers" whoami | sort)" = $'digest:super\nip:127.0.0.1\nsuper:' ]
}

@test "TLS with a client certificate is let in" {
    local tls=$E2E_DIR/three/tls
    zk three create /tls x
    [ "$(zk_tool -a "$tls/ca.crt" -c "$tls/client.crt" -k "$tls/client.key" "$(zk_servers_tls three)" get /tls)" = x ]
}

@test "TLS without the right certificates is refused in words" {
    local tls=$E2E_DIR/three/tls servers
    servers=$(zk_servers_tls three)
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout "$tls/other.key" -out "$tls/other.crt" 2>/dev/null
    run -3 zk_tool -f -a "$tls/ca.crt" "$servers" whoami
    [[ $output == *alert* ]]
    run -3 zk_tool -f -a "$tls/ca.crt" -c "$tls/other.crt" -k "$tls/other.key" "$servers" whoami
    [[ $output == *alert* ]]
    run -3 zk_tool -a "$tls/other.crt" "$servers" whoami
    [[ $output == *"certificate is not trusted by the given certificate authority"* ]]
    run -3 zk_tool -a "$tls/ca.crt" -c "$tls/client.crt" -k "$tls/other.key" "$servers" whoami
    [[ $output == *"client certificate or its key is not usable"* ]]
    run -3 zk_tool -f "$servers" whoami
    [[ $output == *"no session"* ]]
}

@test "when the leader is killed every client has a new session, and nothing is lost" {
    local n
    zk three create /kept x
    for n in 1 2 3; do zk_start_tool "client$n" three sessions 2; done
    for n in 1 2 3; do wait_until 10 grep -qx connected "$E2E_DIR/client$n.log"; done
    n=$(zk_leader three)
    zk_kill three "$n"
    for n in 1 2 3; do wait_until 20 proc_gone "client$n"; done
    for n in 1 2 3; do
        grep -q '^lost: zookeeper 127' "$E2E_DIR/client$n.log"
        [ "$(grep -cx connected "$E2E_DIR/client$n.log")" -eq 2 ]
    done
    [ "$(zk three get /kept)" = x ]
}

@test "servers start once in a folder, come back where they were, and are all swept" {
    run -1 zk_start one
    [[ $output == *"holds servers already"* ]]
    zk one create /stays x
    zk_kill one 1
    run -3 zk_tool -f "$(zk_servers one)" get /stays
    [[ $output == *"Connection refused"* ]]
    zk_restart one 1
    [ "$(zk one get /stays)" = x ]
    grep -lsF "$E2E_DIR/" /proc/[0-9]*/cmdline | grep -q .
    e2e_sweep "$E2E_DIR"
    run ! grep -lsF "$E2E_DIR/" /proc/[0-9]*/cmdline
}
