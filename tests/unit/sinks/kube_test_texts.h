/* Objects and answers of the write tests, as texts with single quotes. */
#ifndef RESILOG_TESTS_KUBE_TEST_TEXTS_H
#define RESILOG_TESTS_KUBE_TEST_TEXTS_H

#define KT_OWNER(key)  "'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef " key "'"
#define KT_ORIGIN(uid) "'sync.resilog.io/origin':'v1 src-1 " uid "'"
#define KT_KEY         "/configmaps/ns/a"
#define KT_MARKS       "'annotations':{" KT_OWNER(KT_KEY) "," KT_ORIGIN("u-src") "}"
#define KT_HEAD(marks)                                                                             \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns'" marks "}"
#define KT_LIVE(marks)                                                                             \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':'u-dst'," \
    "'resourceVersion':'10'" marks "}"
#define KT_PATH "/api/v1/namespaces/ns/configmaps"
#define KT_STATUS(code, reason, message)                                                           \
    "{'kind':'Status','apiVersion':'v1','status':'Failure','message':'" message                    \
    "','reason':'" reason "','code':" #code "}"

#endif
