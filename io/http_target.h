/* Where a client's requests go, and as whom. */
#ifndef RESILOG_IO_HTTP_TARGET_H
#define RESILOG_IO_HTTP_TARGET_H

#include <stdbool.h>

/* A program that gives credentials, in the protocol of client-go's exec plugins. */
struct http_exec {
    const char *const *argv; /* the program and its arguments, up to a NULL */
    const char *const *env;  /* "NAME=value" beside this process's own, up to a NULL; NULL: none */
    const char *api_version; /* of ExecCredential */
};

/* All PEM from memory; copied by who opens a client. */
struct http_target {
    const char *url; /* "https://host:port[/prefix]" */
    const char
        *proxy; /* "http://", "https://" or "socks5://[user:password@]host[:port]", NULL: none */
    const char *ca_pem;   /* NULL: the system's authorities */
    const char *cert_pem; /* client certificate, NULL: none */
    const char *key_pem;
    const char *token; /* bearer, NULL: none */
    /* Files that are read again when they change, in place of the four texts; each may be NULL. */
    const char *token_file, *ca_file, *cert_file, *key_file;
    /* NULL: none; else it gives token and client certificate. Not copied: it outlives the client. */
    const struct http_exec *exec;
    const char *server_name; /* checked in place of the URL's host, and sent as SNI; NULL: none */
    const char *const *headers; /* of every request, "Name: value", up to a NULL; NULL: none */
    bool insecure;              /* do not check the server's certificate */
    bool no_compression; /* ask for plain answers: where the network costs less than the work */
    const char *user_agent;
    /* What a person does about a server's certificate that is not trusted, or that holds another name; NULL: what is
     * said in a kubeconfig. */
    const char *trust_advice, *name_advice;
};

#endif
