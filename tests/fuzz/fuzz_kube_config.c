/* Kubeconfig: any text gives a target or an error, and a target has a URL and both or none of certificate and key. */
#include "io/kube_config.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e = ERR_INIT;
    /* From a Secret: the fuzzer is to read no files. */
    const struct kube_config_opts opts = {
        .file = "input", .from_secret = true, .allow_insecure = n % 2};
    enum rc rc = kube_config_parse(slice_of(data, n), &opts, &c, &e);
    if (rc == RC_OK ? !c.target.url || !c.target.cert_pem != !c.target.key_pem
                    : rc != e.rc || !e.msg[0] || c.target.url)
        __builtin_trap();
    return 0;
}
