/* What JSON libraries do to JSON that they only carry, and how fast: the figures of docs/adr/0001.
 * Not part of the build; in the root folder, with libcjson-dev and libyajl-dev:
 *   cc -std=c17 -D_GNU_SOURCE -O2 -I. tests/bench/json_fidelity.c core/json*.c core/buf.c core/err.c \
 *      -lcjson -lyajl -o /tmp/json_fidelity && /tmp/json_fidelity */
#include "core/buf.h"
#include "core/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <time.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#define OBJECTS 2000
#define ROUNDS  7

/* Each prints text, parsed, into out; false: it was refused. */
typedef bool round_trip(struct slice text, struct buf *out);

static bool with_cjson(struct slice text, struct buf *out)
{
    cJSON *tree = cJSON_ParseWithLength(text.p, text.n);
    char *printed = tree ? cJSON_PrintUnformatted(tree) : NULL;
    buf_add_str(out, printed ? printed : "");
    free(printed);
    cJSON_Delete(tree);
    return printed;
}

/* ---- yajl: the parser's events straight into its generator, numbers as their text ---- */

static int on_null(void *g)
{
    return yajl_gen_null(g) == yajl_gen_status_ok;
}
static int on_boolean(void *g, int v)
{
    return yajl_gen_bool(g, v) == yajl_gen_status_ok;
}
static int on_number(void *g, const char *p, size_t n)
{
    return yajl_gen_number(g, p, n) == yajl_gen_status_ok;
}
static int on_string(void *g, const unsigned char *p, size_t n)
{
    return yajl_gen_string(g, p, n) == yajl_gen_status_ok;
}
static int on_map(void *g)
{
    return yajl_gen_map_open(g) == yajl_gen_status_ok;
}
static int on_map_end(void *g)
{
    return yajl_gen_map_close(g) == yajl_gen_status_ok;
}
static int on_array(void *g)
{
    return yajl_gen_array_open(g) == yajl_gen_status_ok;
}
static int on_array_end(void *g)
{
    return yajl_gen_array_close(g) == yajl_gen_status_ok;
}

static bool with_yajl(struct slice text, struct buf *out)
{
    static const yajl_callbacks callbacks = {on_null,    on_boolean, NULL,        NULL,
                                             on_number,  on_string,  on_map,      on_string,
                                             on_map_end, on_array,   on_array_end};
    yajl_gen g = yajl_gen_alloc(NULL);
    yajl_handle h = yajl_alloc(&callbacks, NULL, g);
    bool ok = yajl_parse(h, (const unsigned char *)text.p, text.n) == yajl_status_ok &&
              yajl_complete_parse(h) == yajl_status_ok;
    const unsigned char *p = NULL;
    size_t n = 0;
    if (ok && yajl_gen_get_buf(g, &p, &n) == yajl_gen_status_ok)
        buf_add(out, p, n);
    yajl_free(h);
    yajl_gen_free(g);
    return ok;
}

/* ---- ours ---- */

static bool with_ours(struct slice text, struct buf *out)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    if (json_parse_view(text, &d, NULL) != RC_OK)
        return false;
    json_print(json_root(d), out);
    return out->bad == RC_OK;
}

/* What a projection does: three members of metadata and the status cut, an annotation set. */
static bool with_ours_edited(struct slice text, struct buf *out)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct json *v = NULL;
    if (json_parse_view(text, &d, NULL) != RC_OK ||
        json_value(d, SLICE("\"v1 x\""), &v, NULL) != RC_OK)
        return false;
    struct json *metadata = json_get(json_root(d), "metadata");
    json_cut(metadata, "uid");
    json_cut(metadata, "resourceVersion");
    json_cut(metadata, "managedFields");
    json_cut(json_root(d), "status");
    if (json_set(d, json_get(metadata, "annotations"), SLICE("sync.resilog.io/owner"), v, NULL) !=
        RC_OK)
        return false;
    json_print(json_root(d), out);
    return out->bad == RC_OK;
}

/* ---- The table ---- */

static void show(round_trip *trip, struct slice text)
{
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    if (!trip(text, &out))
        printf(" refused |");
    else if (slice_eq(buf_slice(&out), text))
        printf(" = |");
    else
        printf(" `%.*s` |", SLICE_ARG(buf_slice(&out)));
}

static void print_table(void)
{
    static const char *const rows[] = {
        "[9007199254740993]",
        "[9007199254740991]",
        "[4503599627370501]",
        "[1700000000000000]",
        "[18446744073709551615]",
        "[1.0]",
        "[1.10]",
        "[1e21]",
        "[1E5]",
        "[1e400]",
        "[-0]",
        "{\"a\":1,\"a\":2}",
        "[\"a\\u0000b\"]",
        "[\"\\u003c\\/\"]",
        "[\"\\ud800\"]",
        "{ \"a\" : 1 }",
        "[\"\xff\"]",
        "[1,]",
        "[\"\t\"]",
    };
    printf("| input | cJSON %s | yajl, raw numbers | core/json |\n|---|---|---|---|\n",
           cJSON_Version());
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("| `%s` |", rows[i][2] == '\xff' ? "[\"<byte ff>\"]"
                           : rows[i][2] == '\t' ? "[\"<tab>\"]"
                                                : rows[i]);
        show(with_cjson, slice_str(rows[i]));
        show(with_yajl, slice_str(rows[i]));
        show(with_ours, slice_str(rows[i]));
        printf("\n");
    }
}

/* ---- Speed ---- */

static void deployment(unsigned i, struct buf *out)
{
    buf_addf(
        out,
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"app-%u\",\"namespace\":\"team-%u\",",
        i, i % 37);
    buf_addf(
        out,
        "\"uid\":\"6ad8b3e0-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\",\"generation\":3,", i,
        1000000 + i);
    buf_add_str(out,
                "\"creationTimestamp\":\"2024-01-01T00:00:00Z\",\"labels\":{\"app\":\"web\","
                "\"tier\":\"front\"},\"annotations\":{"
                "\"kubectl.kubernetes.io/"
                "last-applied-configuration\":\"{\\\"apiVersion\\\":\\\"apps/v1\\\",\\\"kind\\\":"
                "\\\"Deployment\\\",\\\"spec\\\":{\\\"replicas\\\":3,\\\"template\\\":{"
                "\\\"spec\\\":{\\\"containers\\\":[]}}}}\\n\"},"
                "\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":\"Update\","
                "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{"
                "\"f:metadata\":{\"f:annotations\":{\".\":{}},\"f:labels\":{\".\":{},\"f:app\":{}}}"
                ",\"f:spec\":{\"f:replicas\":{},"
                "\"f:template\":{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c0\\\"}\":{\"."
                "\":{},\"f:image\":{}}}}}}}}]},"
                "\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
                "\"template\":{\"metadata\":{\"labels\":{"
                "\"app\":\"web\"}},\"spec\":{\"containers\":[");
    for (unsigned c = 0; c < 3; c++)
        buf_addf(out,
                 "%s{\"name\":\"c%u\",\"image\":\"registry.example.org/team/"
                 "app-%u:1.%u.0\",\"ports\":[{\"containerPort\":%u,\"protocol\":"
                 "\"TCP\"}],\"env\":[{\"name\":\"MODE\",\"value\":\"production\"},{\"name\":"
                 "\"SEED\",\"value\":\"%u\"},{\"name\":\"POD\","
                 "\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata."
                 "name\"}}}],\"resources\":{\"limits\":{"
                 "\"cpu\":\"500m\",\"memory\":\"256Mi\"},\"requests\":{\"cpu\":\"100m\",\"memory\":"
                 "\"128Mi\"}},\"livenessProbe\":{"
                 "\"httpGet\":{\"path\":\"/"
                 "healthz\",\"port\":8080,\"scheme\":\"HTTP\"},\"timeoutSeconds\":1,"
                 "\"periodSeconds\":10},"
                 "\"terminationMessagePath\":\"/dev/"
                 "termination-log\",\"imagePullPolicy\":\"IfNotPresent\"}",
                 c ? "," : "", c, i, c, 8080 + c, i * 7919);
    buf_addf(out,
             "],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":"
             "\"ClusterFirst\",\"securityContext\":{},"
             "\"schedulerName\":\"default-scheduler\"}},\"strategy\":{\"type\":\"RollingUpdate\","
             "\"rollingUpdate\":{\"maxUnavailable\":"
             "\"25%%\",\"maxSurge\":\"25%%\"}},\"revisionHistoryLimit\":10,"
             "\"progressDeadlineSeconds\":600},\"status\":{"
             "\"observedGeneration\":3,\"replicas\":3,\"readyReplicas\":3,\"conditions\":[{"
             "\"type\":\"Available\",\"status\":\"True\","
             "\"lastUpdateTime\":\"2024-01-01T00:00:00Z\",\"reason\":\"MinimumReplicasAvailable\","
             "\"message\":\"Deployment has minimum "
             "availability %u.\"}]}}",
             i);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_speed(const char *name, round_trip *trip, const struct slice *texts, size_t total)
{
    double took[ROUNDS];
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    for (int r = 0; r < ROUNDS; r++) {
        double start = seconds();
        for (size_t i = 0; i < OBJECTS; i++) {
            buf_reset(&out);
            if (!trip(texts[i], &out))
                exit(1);
        }
        took[r] = seconds() - start;
    }
    qsort(took, ROUNDS, sizeof(took[0]), compare);
    double median = took[ROUNDS / 2];
    printf("| %s | %.0f | %.0f |\n", name, (double)total / median / 1e6, OBJECTS / median / 1e3);
}

int main(void)
{
    print_table();
    AUTO(buf_done) struct buf all = BUF_INIT(JSON_TEXT_MAX);
    static size_t ends[OBJECTS];
    static struct slice texts[OBJECTS];
    for (unsigned i = 0; i < OBJECTS; i++) {
        deployment(i, &all);
        ends[i] = all.n;
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t start = i ? ends[i - 1] : 0;
        texts[i] = slice_of(all.p + start, ends[i] - start);
    }
    printf("\n| parse and print, %u objects of %zu bytes on average, median of %d | MB/s | "
           "thousand objects/s |\n|---|---|---|\n",
           OBJECTS, all.n / OBJECTS, ROUNDS);
    print_speed("cJSON", with_cjson, texts, all.n);
    print_speed("yajl, raw numbers", with_yajl, texts, all.n);
    print_speed("core/json, nothing edited", with_ours, texts, all.n);
    print_speed("core/json, four members cut and one set", with_ours_edited, texts, all.n);
    return 0;
}
