/* A bare libcurl client: POSTs a mix of objects at a given concurrency over one HTTP/2 connection, and
 * nothing else. What resilog's cold sync is measured beside.
 *
 * Usage: bench_posts URL CA-FILE TOKEN COUNT CONCURRENCY      (the namespaces bench-0 .. bench-9 must be
 * there) Prints the objects per second. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMESPACES     10u
#define FLIGHTS_MOST   64u
#define TEXT_MAX_BYTES 2048u

struct flight {
    CURL *easy;
    char url[512];
    char body[TEXT_MAX_BYTES];
    size_t body_n;
};

static const char *base_url, *ca_file;
static struct curl_slist *headers;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_posts: %s: %s\n", what, why);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t ignore(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

/* Four kinds in turn: the mix of a usual namespace. */
static void make_object(struct flight *f, unsigned i)
{
    static const char *const groups[] = {"api/v1", "api/v1", "apis/apps/v1", "api/v1"};
    static const char *const resources[] = {"configmaps", "secrets", "deployments",
                                            "serviceaccounts"};
    unsigned ns = i / 4 % NAMESPACES, kind = i % 4;
    int n = 0;
    switch (kind) {
    case 0:
        n = snprintf(f->body, sizeof f->body,
                     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o-%"
                     "u\",\"labels\":{\"app\":\"bench\"}},"
                     "\"data\":{\"config.yaml\":\"level: info\\nworkers: %u\\nendpoint: "
                     "https://example.com/\\n%0500u\"}}",
                     i, i, i);
        break;
    case 1:
        n = snprintf(f->body, sizeof f->body,
                     "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"o-%u\"},"
                     "\"stringData\":{\"password\":\"%0100u\"}}",
                     i, i);
        break;
    case 2:
        n = snprintf(f->body, sizeof f->body,
                     "{\"apiVersion\":\"apps/"
                     "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"o-%u\"},\"spec\":{"
                     "\"replicas\":1,"
                     "\"selector\":{\"matchLabels\":{\"app\":\"o-%u\"}},\"template\":{\"metadata\":"
                     "{\"labels\":{\"app\":\"o-%u\"}},"
                     "\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"registry.example."
                     "com/app:%u\",\"env\":[{\"name\":\"A\","
                     "\"value\":\"b\"}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":"
                     "\"64Mi\"}}}]}}}}",
                     i, i, i, i);
        break;
    default:
        n = snprintf(
            f->body, sizeof f->body,
            "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"o-%u\"}}",
            i);
    }
    f->body_n = (size_t)n;
    snprintf(f->url, sizeof f->url, "%s/%s/namespaces/bench-%u/%s", base_url, groups[kind], ns,
             resources[kind]);
}

static void start(CURLM *multi, struct flight *f, unsigned i)
{
    make_object(f, i);
    curl_easy_setopt(f->easy, CURLOPT_URL, f->url);
    curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, f->body);
    curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE, (long)f->body_n);
    if (curl_multi_add_handle(multi, f->easy) != CURLM_OK)
        fail("curl", "cannot start a request");
}

static void prepare(struct flight *f)
{
    f->easy = curl_easy_init();
    if (!f->easy)
        fail("curl", "no handle");
    curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    curl_easy_setopt(f->easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(f->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L); /* else three system calls for each turn */
    curl_easy_setopt(f->easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(f->easy, CURLOPT_TIMEOUT, 60L);
}

static struct flight *finish(const CURLMsg *message)
{
    struct flight *f = NULL;
    long status = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&f);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result != CURLE_OK)
        fail("request", curl_easy_strerror(message->data.result));
    if (status != 201) {
        char text[32];
        snprintf(text, sizeof text, "status %ld", status);
        fail(f->url, text);
    }
    return f;
}

static void run(CURLM *multi, struct flight *flights, unsigned count, unsigned concurrency)
{
    unsigned started = 0, done = 0;
    for (; started < count && started < concurrency; started++)
        start(multi, &flights[started], started);
    while (done < count) {
        int running, left;
        const CURLMsg *message;
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            fail("curl", "perform");
        while ((message = curl_multi_info_read(multi, &left))) {
            struct flight *f = finish(message);
            curl_multi_remove_handle(multi, f->easy);
            done++;
            if (started < count)
                start(multi, f, started++);
        }
        if (done < count && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK)
            fail("curl", "poll");
    }
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
    static struct flight flights[FLIGHTS_MOST];
    if (argc != 6) {
        fprintf(stderr, "usage: bench_posts URL CA-FILE TOKEN COUNT CONCURRENCY\n");
        return 2;
    }
    base_url = argv[1];
    ca_file = argv[2];
    unsigned count = number(argv[4], 1000000), concurrency = number(argv[5], FLIGHTS_MOST);
    char token[512];
    snprintf(token, sizeof token, "Authorization: Bearer %s", argv[3]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = curl_slist_append(curl_slist_append(NULL, token), "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    for (unsigned i = 0; i < concurrency; i++)
        prepare(&flights[i]);
    double begin = now_s();
    run(multi, flights, count, concurrency);
    printf("%.0f\n", count / (now_s() - begin));
    for (unsigned i = 0; i < concurrency; i++)
        curl_easy_cleanup(flights[i].easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}
