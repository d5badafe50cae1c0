/* What clang's analyzer cannot see across files, told to it by tools/tidy.py alone: these functions return a
 * failure. Without this each output that is written only on success would be reported as garbage. Never
 * included by a source. */
#ifndef RESILOG_TOOLS_ANALYZER_MODEL_H
#define RESILOG_TOOLS_ANALYZER_MODEL_H

#include "core/err.h"

#define err_set(e, rc, ...) (err_set((e), (rc), __VA_ARGS__), (rc))
#define err_sys(...)        (err_sys(__VA_ARGS__), RC_IO)
#define err_wrap(...)       (err_wrap(__VA_ARGS__), RC_IO)
#define err_nomem(e)        (err_nomem((e)), RC_NOMEM)

#endif
