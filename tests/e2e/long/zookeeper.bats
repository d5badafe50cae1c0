#!/usr/bin/env bats
# Random changes of an ensemble of three while every process is killed at random: the copy ends equal, up to the next sequential
# numbers, and nothing is held. Part of tests/prove.sh, not of tests/run.sh. RESILOG_ZK_CHANGES: how many (3,000 by default).
load ../lib
load ../resilog
load ../zookeeper

setup_file() {
    zk_begin
    [ -z "$E2E_SKIP" ] || return 0
    zk_start three 3
    zk_start there
    declare_databases long three there
    declare_tree long LiveSynchronization churned three there 'rootPath: /churn' 'createRootPath: true'
    zk three create /churn
}
setup() {
    e2e_setup
    SEED=${RESILOG_E2E_SEED:-$((EPOCHSECONDS % 100000 + 1))}
    RANDOM=$SEED
    CHANGES=${RESILOG_ZK_CHANGES:-3000}
}
teardown() {
    last_words
}
teardown_file() {
    e2e_end
}

long_start() { # what was deleted while nobody looked needs approval
    run_start long --allow-prune churned
}
strike() { # ENSEMBLE N: ends a server, and lets it come back after a moment
    zk_kill "$1" "$2"
    sleep "$((RANDOM % 3))" # how long it is away is part of the test: nothing is waited for
    zk_restart "$1" "$2"
}

@test "random changes with every process killed at random end equal, with nothing held" {
    echo "# seed $SEED (RESILOG_E2E_SEED=$SEED replays the choices), $CHANGES changes" >&3
    proc_start churn "$(zk_program)" -t 7200 "$(zk_servers three)" churn "$CHANGES" /churn "$SEED" 400
    long_start
    local strikes=0
    while proc_alive churn; do
        sleep "$((1 + RANDOM % 5))" # the random moment itself
        case $((RANDOM % 5)) in
        0 | 1) run_kill long && long_start ;;
        2) strike three "$((1 + RANDOM % 3))" ;;
        3) strike three "$(zk_leader three)" ;;
        4) strike there 1 ;;
        esac
        strikes=$((strikes + 1))
    done
    rm -f "$E2E_DIR/procs/churn.pid"
    echo "# $strikes processes were ended; $(tail -n 1 "$E2E_DIR/churn.log"); $(status long churned head) events in the log" >&3
    grep -q "^$CHANGES changes" "$E2E_DIR/churn.log"
    run_kill long # the walk of the next life finds changed ACLs
    long_start
    wait_zk_mended 240 long churned three there /churn --least 100 --ahead '^/churn/c[0-9]+/'
    wait_until 120 status_is long churned held 0
    wait_until 60 status_is long churned phase Live
    "$RESILOG" log verify --data "$E2E_DIR/long.data"
    run_stop long
}
