/* Whose log a folder holds: read from the header of its first segment. */
#include "core/buf.h"
#include "log/offset_list.h"
#include "log/pages.h"
#include "log/rlog.h"
#include "log/segment.h"

enum rc rlog_lmdb_name(const char *dir, struct buf *out, struct err *e)
{
    AUTO(offset_list_done) struct offset_list segments = {0};
    enum rc rc = segment_list(dir, 's', &segments, e);
    if (rc < 0)
        return rc;
    if (segments.n == 0)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%s holds no segment of a log", dir);
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_header header = {.name_n = 0};
    rc = segment_open_file(dir, segments.p[0], segments.n > 1, &f, e);
    if (rc == RC_OK)
        rc = segment_read_header(f, &header, e);
    if (rc == RC_CORRUPT)
        return err_wrap(e, "%s: the first bad offset is %llu", dir,
                        (unsigned long long)segments.p[0]);
    if (rc < 0)
        return rc;
    buf_add(out, header.name, header.name_n);
    return buf_check(out, "name of a log", e);
}
