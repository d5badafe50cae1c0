#!/usr/bin/env bats
# Synchronization and SynchronizationPlan between two real ensembles: the samples of the reference, what a run copies, what it
# leaves alone, what it says and with which exit code.
load lib
load resilog
load zookeeper

SAMPLES=$ROOT/tests/e2e/reference

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    ZK_CONFIG=extendedTypesEnabled=true zk_start one
    zk_start two
    zk one create /planned plan
    zk one create /planned/below x
    begin_plan
    begin_away
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

# Two that take a minute: their tests come last.
begin_plan() { # due each minute
    declare_databases plan one two
    sed 's/^  schedule: .*/  schedule: "* * * * *"/; s/zookeeper-source/one/; s/zookeeper-destination/two/; s#/test#/planned\n        createRootPath: true#' \
        "$SAMPLES/6.3.1-plan.yaml" >"$E2E_DIR/plan/plan.yaml"
    run_start plan
}
begin_away() { # nobody listens there
    declare_databases away one
    database gone one | sed 's/127[^"]*/127.0.0.1:1/' >"$E2E_DIR/away/gone.yaml"
    declare_tree away Synchronization away one gone 'rootPath: /planned' 'createRootPath: true'
    run_start away --once
}

# copies NAME ROOT [FIELD...]: an instance with one Synchronization of that name, from one to two; without credentials.
copies() {
    declare_databases "$1" one two
    declare_tree "$1" Synchronization "$1" one two "rootPath: $2" "${@:3}"
}
# with_super NAME ROOT [FIELD...]: the same, as the user who may do everything.
with_super() {
    copies "$@"
    database one one super >"$E2E_DIR/$1/databases.yaml"
    database two two super >>"$E2E_DIR/$1/databases.yaml"
    declare_secret "$1" super username=super password=super
}
# writes_nothing NAME [ROOT]: another run changes nothing of the destination, not even a zxid.
writes_nothing() {
    zk_root two dump "${2:-/$1}" >"$E2E_DIR/before"
    once "$1"
    zk_root two dump "${2:-/$1}" | diff "$E2E_DIR/before" -
}
last_run() { # NAME FIELD
    "$RESILOG" status --data "$E2E_DIR/$1.data" -o json | json "d[0]['runs'][-1]['$2']"
}
digest_id() { # USER:PASSWORD
    echo "digest:${1%%:*}:$(printf %s "$1" | openssl dgst -sha1 -binary | base64)"
}
next_child() { # ENSEMBLE PARENT: creates a sequential child; prints its number
    "$ZOOKEEPER/zk.sh" cli "$E2E_DIR/$1" create -s "$2/next-" 2>&1 | sed -n 's/^Created .*next-0*\([0-9]\)/\1/p'
}

# --- The samples

@test "the reference's sample of the whole tree: / with createRoutePath, without apiVersion" {
    zk one create /app one
    zk one create /app/config 'a=1'
    zk two create /foreign 'of two'
    mkdir "$E2E_DIR/tree"
    touch "$E2E_DIR/tree.clusters"
    cp "$SAMPLES/8.3-zookeeper-sync-once.yaml" "$E2E_DIR/tree/"
    { database zookeeper-1 one; database zookeeper-2 two; } >"$E2E_DIR/tree/databases.yaml"
    once tree
    zk_same one two / --but '^/($|foreign|planned)' --least 2
    [ "$(zk two get /foreign)" = 'of two' ]
    [ "$(last_run tree result)" = Succeeded ]
    says tree createRoutePath
    writes_nothing tree /app
}

@test "the reference's sample of one run: /test with createRoutePath" {
    zk one create /test root
    zk one create /test/a x
    mkdir "$E2E_DIR/test"
    touch "$E2E_DIR/test.clusters"
    cp "$SAMPLES/6.3.1-synchronization.yaml" "$E2E_DIR/test/"
    { database zookeeper-source one; database zookeeper-destination two; } >"$E2E_DIR/test/databases.yaml"
    once test
    zk_same one two /test --least 2
    [ "$(last_run test result)" = Succeeded ]
    [ "$("$RESILOG" status --data "$E2E_DIR/test.data" -o json | json "d[0]['phase']")" = Succeeded ]
    writes_nothing test
}

@test "the reference's sample of a plan waits for the next full hour, and says so" {
    mkdir "$E2E_DIR/hourly"
    touch "$E2E_DIR/hourly.clusters"
    cp "$SAMPLES/8.3-zookeeper-sync.yaml" "$E2E_DIR/hourly/"
    { database zookeeper-1 one; database zookeeper-2 two; } >"$E2E_DIR/hourly/databases.yaml"
    run_start hourly
    wait_until 10 status_is hourly synchronize-zookeeper phase Scheduled
    [ "$(status hourly synchronize-zookeeper nextScheduleTime)" = "$(date -u -d "@$(((EPOCHSECONDS / 3600 + 1) * 3600))" +%FT%H:00:00.000000000Z)" ]
    run_stop hourly
}

# --- What a run copies

@test "data of every kind arrive as they are: null, empty, text, binary, almost 1 MB" {
    head -c 1040000 /dev/urandom >"$E2E_DIR/great"
    head -c 300 /dev/urandom >"$E2E_DIR/binary"
    zk one create /data
    zk one create /data/empty ''
    zk one create /data/text $'two\nlines and \xc3\xa4'
    zk one create /data/binary "@$E2E_DIR/binary"
    zk one create /data/great "@$E2E_DIR/great"
    copies data /data 'createRootPath: true'
    once data
    zk_same one two /data --least 5
    zk two get /data/great | cmp - "$E2E_DIR/great"
    run ! grep -F '"path":"/data","text"' <(zk two dump /data)
    writes_nothing data
}

@test "a deep tree, a wide one, and one whose writes exceed a request: 900 nodes of 2,000 bytes" {
    local path=/shape i
    zk one create /shape
    for i in $(seq 40); do path=$path/d$i && zk one create "$path" "$i"; done
    zk one create /shape/wide
    zk one bulk 20000 /shape/wide 10
    zk one create /shape/heavy
    zk one bulk 900 /shape/heavy 2000
    copies shape /shape 'createRootPath: true'
    once shape
    zk_same one two /shape --least 20943
}

@test "an unchanged second run of 20,000 nodes writes none of them" {
    writes_nothing shape
}

@test "ACLs arrive as they are, and none is widened: world:r stays world:r" {
    local user
    user=$(digest_id app:secret)
    zk one create /acl x
    zk one create /acl/read x r:world:anyone
    zk one create /acl/app x "cdrwa:$user"
    zk one create /acl/app2 x "cdrwa:$user,r:world:anyone,cr:ip:10.0.0.1"
    zk_root one create /acl/read/below x
    zk_root one create /acl/app/below x "rw:$user"
    with_super acl /acl 'createRootPath: true'
    once acl
    zk_same one two /acl --least 6
    [ "$(zk_root two acl /acl/read)" = r:world:anyone ]
    zk_root one setacl /acl/read rw:world:anyone
    once acl
    [ "$(zk_root two acl /acl/read)" = rw:world:anyone ]
    writes_nothing acl
}

@test "without rights to go on below a closed node its children are held, exit code 1, and the ACL stays as it is" {
    zk one create /closed x
    zk one create /closed/read x
    zk one create /closed/read/below x
    zk one setacl /closed/read r:world:anyone
    copies closed /closed 'createRootPath: true'
    run -1 once closed
    [ "$(zk_root two acl /closed/read)" = r:world:anyone ]
    [ "$(last_run closed result)" = Failed ]
    run -0 "$RESILOG" holds ls --data "$E2E_DIR/closed.data"
    [[ $output == *no-auth*/closed/read/below* || $output == */closed/read/below*no-auth* ]]
}

@test "an inner node named zookeeper is copied with what is below it" {
    zk one create /odd
    zk one create /odd/zookeeper x
    zk one create /odd/zookeeper/below y
    copies odd /odd 'createRootPath: true'
    once odd
    zk_same one two /odd --least 3
}

@test "sequence numbers go on in the destination where the source is" {
    local n
    zk one create /queue
    zk one raise 7 /queue
    for n in 0000000007 0000000008 0000000009; do zk one create "/queue/next-$n" x; done
    copies queue /queue 'createRootPath: true'
    once queue
    zk_same one two /queue --least 4
    writes_nothing queue
    [ "$(next_child one /queue)" = 10 ]
    [ "$(next_child two /queue)" = 10 ]
}

@test "I109 ephemeral nodes are left out unless told, sequential, TTL and container nodes become persistent ones" {
    mkfifo "$E2E_DIR/shell"
    proc_start shell bash -c 'exec "$1" cli "$2" <>"$3"' - "$ZOOKEEPER/zk.sh" "$E2E_DIR/one" "$E2E_DIR/shell"
    zk one create /kinds x
    printf '%s\n' 'create -s /kinds/s- x' 'create -c /kinds/c' 'create -t 600000 /kinds/t x' 'create -e /kinds/e mine' >"$E2E_DIR/shell"
    wait_until 20 zk one get /kinds/e
    copies kinds /kinds 'createRootPath: true'
    once kinds
    zk_same one two /kinds --least 4
    run -1 zk two get /kinds/e
    declare_tree kinds Synchronization all one two 'rootPath: /kinds' 'createRootPath: true' 'ignoreEphemeral: false'
    rm "$E2E_DIR/kinds/kinds.yaml"
    once kinds
    [ "$(zk two get /kinds/e)" = mine ]
    zk two dump /kinds/e | grep -F '"owner":0,'
    proc_stop shell KILL
}

@test "excludePathRegexp leaves out what it matches, with all below it" {
    zk one create /some
    zk one create /some/tmp x
    zk one create /some/tmp/below x
    zk one create /some/kept x
    copies some /some 'createRootPath: true' 'excludePathRegexp: "/tmp$"'
    once some
    zk_same one two /some --but /tmp --least 2
    run -1 zk two get /some/tmp
}

# --- What a run leaves alone, and what it refuses

@test "I108 a rootPath that the destination lacks, without createRootPath, is an error, and nothing is made" {
    zk one create /lacks x
    zk one create /lacks/below x
    copies lacks /lacks
    run -1 once lacks
    says lacks createRootPath
    [[ $(last_run lacks message) == *createRootPath* ]]
    run -1 zk two get /lacks
}

@test "validate --live asks each Database for the roots and what these grant, and writes nothing" {
    zk one create /granted x
    zk two create /granted x
    copies granted /granted
    run -0 --separate-stderr "$RESILOG" validate -f "$E2E_DIR/granted" --live
    [[ $stderr == *"Database default/one: what 1 use of it needs is there and granted"*"Database default/two: "* ]]
    zk_root two setacl /granted r:world:anyone
    run -3 --separate-stderr "$RESILOG" validate -f "$E2E_DIR/granted" --live
    [[ $stderr == *"Database default/two, as destination of default/granted: /granted: its ACL does not grant us write, create, delete, admin; "* ]]
    copies ungranted /granted/below
    run -3 --separate-stderr "$RESILOG" validate -f "$E2E_DIR/ungranted" --live
    [[ $stderr == *"as source of default/ungranted: rootPath /granted/below does not exist"* ]]
    [[ $stderr == *"as destination of default/ungranted: rootPath /granted/below does not exist; createRootPath: true makes it"* ]]
    run -1 zk one get /granted/below
}

@test "a run that Ctrl-C cuts off has failed, and the next one does all of it" {
    local pid code=0
    zk one create /cut x
    copies cut /cut 'createRootPath: true'
    database gone one | sed 's/127[^"]*/127.0.0.1:1/' >"$E2E_DIR/cut/gone.yaml"
    sed -i 's/destinationName: two/destinationName: gone/' "$E2E_DIR/cut/cut.yaml"
    once cut &
    pid=$!
    wait_until 20 grep -q "the run begins" "$E2E_DIR/cut.log"
    pkill -INT -P "$pid" || kill -INT "$pid"
    wait "$pid" || code=$?
    [ "$code" = 1 ]
    copies cut /cut 'createRootPath: true'
    once cut
    [ "$(zk two get /cut)" = x ]
}

@test "a rootPath that the source lacks is an error, and nothing is made or deleted" {
    zk two create /missing x
    zk two create /missing/below x
    copies missing /missing 'createRootPath: true'
    run -1 once missing
    says missing /missing
    [ "$(zk two get /missing/below)" = x ]
}

@test "a node that cannot be read is said and fails the run, is not taken for deleted, and stops nothing else" {
    zk one create /private x
    zk one create /private/own x
    zk one create /private/own/below x
    zk one create /private/gone x
    copies private /private 'createRootPath: true'
    once private
    zk_root one setacl /private/own "cdrwa:$(digest_id app:secret)"
    zk one delete /private/gone
    zk one create /private/new x
    run -1 once private
    says private /private/own
    [ "$(last_run private result)" = Failed ]
    [ "$(zk two get /private/new)" = x ]
    [ "$(zk two get /private/own/below)" = x ]
    run -1 zk two get /private/gone
}

@test "what was deleted between two runs goes, 11 of them only with --allow-prune, and what is not ours stays" {
    zk one create /prune
    zk one bulk 30 /prune
    copies prune /prune 'createRootPath: true'
    once prune
    zk two create /prune/foreign x
    zk two create /prune/n0000029/foreign x
    zk one delete /prune/n0000000
    once prune
    run -1 zk two get /prune/n0000000
    local n
    for n in $(seq -w 1 11); do zk one delete "/prune/n00000$n"; done
    run -1 once prune
    [[ $(last_run prune message) == *"11 removals"* ]]
    zk two get /prune/n0000005
    once prune --allow-prune prune
    run -1 zk two get /prune/n0000005
    [ "$(zk two get /prune/foreign)" = x ]
    [ "$(zk two get /prune/n0000029/foreign)" = x ]
}

@test "a node of the destination that differs is overwritten, and what it was is kept; with adopt never it is held" {
    zk one create /differs source
    zk two create /differs destination
    copies differs /differs 'adopt: never'
    run -1 once differs
    [ "$(zk two get /differs)" = destination ]
    copies differs /differs
    once differs
    [ "$(zk two get /differs)" = source ]
    "$RESILOG" preimages --data "$E2E_DIR/differs.data" differs /differs | grep -F destination
}

@test "a destination that is the source is refused" {
    declare_databases itself one
    database other one >>"$E2E_DIR/itself/databases.yaml"
    declare_tree itself Synchronization itself one other 'rootPath: /app'
    run -1 once itself
    says itself "same"
}

# --- What takes a minute

@test "a plan that is due each minute runs, and says how it ended" {
    ran() { [ "$(last_run plan result)" = Succeeded ]; }
    wait_until 75 ran
    zk_same one two /planned --least 2
    [[ $(last_run plan scheduled) == *:00.000000000Z ]]
    run_stop plan
}

@test "a destination that is away fails the run after a minute, in words" {
    wait_until 75 test -s "$E2E_DIR/away.exit"
    [ "$(cat "$E2E_DIR/away.exit")" = 1 ]
    [[ $(last_run away message) == *"no answer for a minute"*refused* ]]
}
