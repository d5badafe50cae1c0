#!/usr/bin/env bats
# What `validate --live` learns from the AdminServer that a Database names: of two versions, over https, of servers that are down,
# serve nobody or only reads, and of what is no AdminServer at all.
load lib
load resilog
load zookeeper

PASSWORD=not-a-real-password

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    ZK_ADMIN=1 ZK_TLS=1 zk_start one
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

admin_port() { # ENSEMBLE [N]
    cut -d, -f"${2:-1}" "$E2E_DIR/$1/zk.admin" | cut -d: -f2
}
# declare_admin NAME PROTOCOL PORT [SECRET]: a Database that has nothing but an AdminServer.
declare_admin() {
    mkdir -p "$E2E_DIR/$1"
    printf 'apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: %s}\n' "$1" >"$E2E_DIR/$1/database.yaml"
    printf 'spec: {zookeeper: {admin: {protocol: %s, host: 127.0.0.1, port: "%s"%s}}}\n' "$2" "$3" "${4:+, secretName: $4}" >>"$E2E_DIR/$1/database.yaml"
}
# validate CODE NAME: what it says stands in $stderr, and in a log that is searched for secrets at the end.
validate() {
    run "-$1" --separate-stderr "$RESILOG" validate --live -f "$E2E_DIR/$2"
    echo "$stderr" | tee -a "$E2E_DIR/validate.log"
}
# stub_start STATUS BODY: admin_stub.py with the certificate of the first server.
stub_start() {
    rm -f "$E2E_DIR/one/stub.port"
    proc_start stub "$ROOT/tests/e2e/admin_stub.py" "$E2E_DIR/one" "$@"
    wait_until 10 test -s "$E2E_DIR/one/stub.port"
}

@test "a server says its version and state, used by a synchronization or not" {
    declare_admin plain http "$(admin_port one)"
    validate 0 plain
    [[ $stderr == *"Database default/plain: ZooKeeper 3.8.0, standalone, answers"* ]]
    declare_databases used one
    sed -i "s/spec: {zookeeper: {/&admin: {protocol: http, host: 127.0.0.1, port: \"$(admin_port one)\"}, /" "$E2E_DIR/used/databases.yaml"
    zk one create /app x
    declare_admin other http "$(admin_port one)"
    cp "$E2E_DIR/other/database.yaml" "$E2E_DIR/used/"
    database two one >>"$E2E_DIR/used/databases.yaml"
    declare_tree used Synchronization copy one two 'rootPath: /app'
    validate 0 used
    [[ $stderr == *"Database default/one: ZooKeeper 3.8.0, standalone, answers"* ]]
    [[ $stderr == *"Database default/other: ZooKeeper 3.8.0, standalone, answers"* ]]
    [[ $stderr == *"Database default/one: what 1 use of it needs is there and granted"* ]]
}

@test "a server of 3.9.5 says the same, and a client certificate is shown to it" {
    "$ZOOKEEPER/jars.sh" get 3.9.5 || skip "ZooKeeper 3.9.5 cannot be had: run tests/servers/zookeeper/jars.sh get 3.9.5"
    ZK_VERSION=3.9.5 ZK_ADMIN=1 ZK_TLS=1 ZK_CONFIG=admin.needClientAuth=true zk_start newer
    declare_admin later https "$(admin_port newer)" login
    declare_secret later login "ca.crt=@$E2E_DIR/newer/tls/ca.crt"
    validate 1 later
    [[ $stderr == *"bad certificate"* ]]
    declare_secret later login "ca.crt=@$E2E_DIR/newer/tls/ca.crt" "tls.crt=@$E2E_DIR/newer/tls/client.crt" \
        "tls.key=@$E2E_DIR/newer/tls/client.key" username=super "password=$PASSWORD"
    validate 0 later
    [[ $stderr == *"Database default/later: ZooKeeper 3.9.5, standalone, answers"* ]]
    zk_stop newer
}

@test "https checks the server's certificate, and says what to do about another authority" {
    declare_admin tls https "$(admin_port one)" login
    declare_secret tls login "ca.crt=@$E2E_DIR/one/tls/ca.crt"
    validate 0 tls
    [[ $stderr == *"Database default/tls: ZooKeeper 3.8.0, standalone, answers"* ]]
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=another" -keyout "$E2E_DIR/other.key" -out "$E2E_DIR/other.crt" 2>/dev/null
    declare_secret tls login "ca.crt=@$E2E_DIR/other.crt"
    validate 1 tls
    [[ $stderr == *"Database default/tls, spec.zookeeper.admin: GET https://"*"not trusted by the given certificate authority"*"put the authority that signed it into ca.crt of the Secret"* ]]
}

@test "username and password go over https as 3.9 reads them, and are looked at by nobody over http" {
    stub_start 401 '{"error": "Auth info is missing"}'
    declare_admin auth https "$(cat "$E2E_DIR/one/stub.port")" login
    declare_secret auth login "ca.crt=@$E2E_DIR/one/tls/ca.crt" username=app "password=$PASSWORD"
    validate 1 auth
    [[ $stderr == *"spec.zookeeper.admin: HTTP 401: it refuses us; give username and password"* ]]
    [ "$(cat "$E2E_DIR/one/stub.seen")" = "/commands/srvr digest app:$PASSWORD" ]
    declare_admin auth http "$(admin_port one)" login
    validate 0 auth
    [[ $stderr == *"spec.zookeeper.admin.secretName: not used: with protocol http"* ]]
    proc_stop stub
}

@test "a redirect is not followed, and carries nothing elsewhere" {
    rm -f "$E2E_DIR/one/stub.seen"
    stub_start 302 ''
    declare_admin elsewhere https "$(cat "$E2E_DIR/one/stub.port")" login
    declare_secret elsewhere login "ca.crt=@$E2E_DIR/one/tls/ca.crt"
    validate 3 elsewhere
    [[ $stderr == *"HTTP 302: it sends us elsewhere, which is not followed"* ]]
    [ "$(cat "$E2E_DIR/one/stub.seen")" = "/commands/srvr none" ]
    proc_stop stub
}

@test "a port where nobody listens, and one that is not an AdminServer's, are told with what to look at" {
    declare_admin wrong http 1
    validate 1 wrong
    [[ $stderr == *"Database default/wrong, spec.zookeeper.admin: GET http://127.0.0.1:1/commands/srvr: cannot connect: Connection refused; check protocol, host and port"* ]]
    declare_admin client http "$(zk_servers one | cut -d: -f2)" # where sessions go
    validate 1 client
    [[ $stderr == *"Database default/client, spec.zookeeper.admin: "*"check protocol, host and port"* ]]
}

@test "a member without a majority serves nobody, or reads alone: exit code 3" {
    ZK_ADMIN=1 zk_start three 3
    declare_admin member http "$(admin_port three 1)"
    validate 0 member
    [[ $stderr == *": ZooKeeper 3.8.0, "@(leader|follower)", answers"* ]]
    zk_kill three 2
    zk_kill three 3
    wait_until 30 serves_nobody
    validate 3 member
    [[ $stderr == *"Database default/member, spec.zookeeper.admin: http://127.0.0.1:"*": the server says \"This ZooKeeper instance is not currently serving requests\""*"majority"* ]]
    ZK_READ_ONLY=1 zk_restart three 1
    validate 3 member
    [[ $stderr == *": ZooKeeper 3.8.0 is read-only; allowed are standalone, leader, follower and observer"* ]]
    zk_stop three
}
serves_nobody() {
    "$RESILOG" validate --live -f "$E2E_DIR/member" 2>&1 | grep -F "not currently serving"
}

@test "a server that is down is a failure, and the other ones are asked all the same" {
    declare_admin down http "$(admin_port one)"
    sed 's/name: down/name: again/' "$E2E_DIR/down/database.yaml" >"$E2E_DIR/down/again.yaml"
    zk_stop one
    validate 1 down
    [[ $stderr == *"Database default/down, spec.zookeeper.admin: "*"Connection refused"* ]]
    [[ $stderr == *"Database default/again, spec.zookeeper.admin: "*"Connection refused"* ]]
}
