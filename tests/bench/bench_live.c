/* The two bare clients of live.sh, each over one connection and one request after another, on a fixed schedule:
 *
 *   seed    makes the objects
 *   change  PATCHes them in turn: the changes that resilog copies
 *   update  GETs and PUTs them in turn: what resilog must do in the destination for each change, and nothing else;
 *           prints how long a GET and its PUT took together, in milliseconds: p50, p99, most
 *
 * Usage: bench_live seed|change|update URL CA-FILE TOKEN NAMESPACE OBJECTS [COUNT RATE] */
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX_BYTES (64u << 10)
#define COUNT_MOST     100000u
#define COUNTER_DIGITS 10
#define COUNTER        "\"n\":\""

struct text {
    size_t n;
    char p[TEXT_MAX_BYTES];
};

struct client {
    CURL *easy;
    struct curl_slist *json, *merge;
    const char *url, *ns;
    struct text answer;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_live: %s: %s\n", what, why);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- Requests ---- */

static size_t take(char *p, size_t size, size_t n, void *arg)
{
    struct text *t = arg;
    n *= size;
    if (n >= sizeof t->p - t->n)
        return 0;
    memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
    return n;
}

static void prepare(struct client *c, char **argv)
{
    static char token[512];
    snprintf(token, sizeof token, "Authorization: Bearer %s", argv[4]);
    c->url = argv[2];
    c->ns = argv[5];
    c->json = curl_slist_append(curl_slist_append(NULL, token), "Content-Type: application/json");
    c->merge = curl_slist_append(curl_slist_append(NULL, token),
                                 "Content-Type: application/merge-patch+json");
    c->easy = curl_easy_init();
    if (!c->easy)
        fail("curl", "no handle");
    curl_easy_setopt(c->easy, CURLOPT_CAINFO, argv[3]);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, &c->answer);
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT, 60L);
}

/* Sends one request about object i (POST: to the collection); body NULL: GET. */
static void ask(struct client *c, const char *method, unsigned i, const char *body)
{
    char url[512], name[32] = "";
    long status = 0;
    if (strcmp(method, "POST") != 0)
        snprintf(name, sizeof name, "/o-%u", i);
    snprintf(url, sizeof url, "%s/api/v1/namespaces/%s/configmaps%s", c->url, c->ns, name);
    c->answer.n = 0;
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER,
                     strcmp(method, "PATCH") == 0 ? c->merge : c->json);
    if (body)
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
    else
        curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
    CURLcode code = curl_easy_perform(c->easy);
    if (code != CURLE_OK)
        fail(url, curl_easy_strerror(code));
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2)
        fail(url, c->answer.p);
}

/* ---- What is done with object i for the n-th time ---- */

static void seed(struct client *c, unsigned i, unsigned n)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o-%u\"},"
             "\"data\":{\"n\":\"%0*u\",\"rest\":\"%0500u\"}}",
             i, COUNTER_DIGITS, n, i);
    ask(c, "POST", i, body);
}

static void change(struct client *c, unsigned i, unsigned n)
{
    char body[128];
    snprintf(body, sizeof body, "{\"data\":{" COUNTER "%0*u\"}}", COUNTER_DIGITS, n);
    ask(c, "PATCH", i, body);
}

static void update(struct client *c, unsigned i, unsigned n)
{
    static struct text body;
    char digits[COUNTER_DIGITS + 1];
    ask(c, "GET", i, NULL);
    body = c->answer;
    char *counter = strstr(body.p, COUNTER);
    if (!counter)
        fail("GET", "the object lost its counter");
    snprintf(digits, sizeof digits, "%0*u", COUNTER_DIGITS, n);
    memcpy(counter + sizeof COUNTER - 1, digits, COUNTER_DIGITS);
    ask(c, "PUT", i, body.p);
}

/* ---- The schedule ---- */

static void wait_until(double at_ms)
{
    struct timespec t = {.tv_sec = (time_t)(at_ms / 1e3)};
    t.tv_nsec = (long)((at_ms - (double)t.tv_sec * 1e3) * 1e6);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run(struct client *c, bool updates, unsigned objects, unsigned count, unsigned rate)
{
    static double took[COUNT_MOST];
    double begin = now_ms();
    for (unsigned n = 0; n < count; n++) {
        wait_until(begin + n * 1e3 / rate);
        double start = now_ms();
        (updates ? update : change)(c, n % objects, n + 1);
        took[n] = now_ms() - start;
    }
    if (!updates)
        return;
    qsort(took, count, sizeof *took, by_size);
    printf("%.2f %.2f %.2f\n", took[count / 2], took[count - 1 - count / 100], took[count - 1]);
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || n == 0 || n > most)
        fail(text, "is not a number in range");
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    static struct client c;
    bool seeds = argc == 7 && strcmp(argv[1], "seed") == 0;
    bool updates = argc == 9 && strcmp(argv[1], "update") == 0;
    if (!seeds && !updates && !(argc == 9 && strcmp(argv[1], "change") == 0)) {
        fprintf(stderr, "usage: bench_live seed|change|update URL CA-FILE TOKEN NAMESPACE OBJECTS "
                        "[COUNT RATE]\n");
        return 2;
    }
    unsigned objects = number(argv[6], COUNT_MOST);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    prepare(&c, argv);
    for (unsigned i = 0; seeds && i < objects; i++)
        seed(&c, i, 0);
    if (!seeds)
        run(&c, updates, objects, number(argv[7], COUNT_MOST), number(argv[8], 1000));
    curl_easy_cleanup(c.easy);
    curl_slist_free_all(c.json);
    curl_slist_free_all(c.merge);
    curl_global_cleanup();
    return 0;
}
