/* ExecCredential: any text gives credentials or an error; credentials are a token, or a certificate with its key. */
#include "core/scope.h"
#include "io/exec_credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(exec_credential_done) struct exec_credential c = {0};
    struct err e = ERR_INIT;
    enum rc rc =
        exec_credential_parse(slice_of(data, n), "client.authentication.k8s.io/v1", &c, &e);
    if (rc == RC_OK ? !c.cert != !c.key || (!c.token && !c.cert)
                    : rc != e.rc || !e.msg[0] || c.token || c.cert || c.key)
        __builtin_trap();
    return 0;
}
