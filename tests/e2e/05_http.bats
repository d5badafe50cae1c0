#!/usr/bin/env bats
# The HTTP client against a real API server: HTTP/2 over TLS, many watches, refused certificates and tokens.
load lib

setup_file() {
    e2e_begin
    [ -z "$E2E_SKIP" ] || return 0
    kube_start server
}
setup() {
    e2e_setup
}
teardown_file() {
    e2e_end
}

@test "the tests of the HTTP client that need a real server run, all of them" {
    local program
    program=$(dirname "$RESILOG")/../io/unit_io_http_curl
    RESILOG_TEST_KUBECONFIG=$(kube_config server) run -0 "$program"
    [[ $output != *SKIPPED* ]]
    [[ $output == *many_more_watches* ]]
}
