#!/usr/bin/env python3
"""proxy.py KUBECONFIG FOLDER [PORT]: a plain HTTP server before an API server, which misbehaves when it is told to.

FOLDER/mode says how: pass (the default), a status code as 401, 403, 429 or 500, nonsense (200 and no JSON) or silent (no answer
for 20 s). It writes FOLDER/kubeconfig for its clients, with the token MARKER-token, and one line per request to
FOLDER/requests: mode, method, path.
"""
import http.server
import os
import sys
import time
import urllib.error
import urllib.request

import compare

STATUS = ('{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"told to refuse","reason":"%s","code":%d}')
REASONS = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests", 500: "InternalError"}
SILENCE_S = 20
CONFIG = """apiVersion: v1
kind: Config
clusters: [{name: p, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: p, user: {token: MARKER-token}}]
contexts: [{name: p, context: {cluster: p, user: p}}]
current-context: p
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "proxy"

    def mode(self):
        try:
            with open(os.path.join(self.server.folder, "mode"), encoding="utf-8") as f:
                return f.read().strip()
        except FileNotFoundError:
            return "pass"

    def answer(self, code, body, *headers):
        self.send_response(code)
        for header in headers + (("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def relay(self, answer):
        """To the end of the connection, as it comes: watches do not end by themselves."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while True:
            piece = answer.read1(65536)
            if not piece:
                return
            self.wfile.write(piece)

    def forward(self, body):
        upstream = self.server.upstream
        headers = {n: v for n, v in self.headers.items() if n.lower() in ("accept", "content-type", "user-agent")}
        headers["Authorization"] = "Bearer " + upstream.token
        request = urllib.request.Request(upstream.url + self.path, data=body or None, method=self.command, headers=headers)
        try:
            answer = upstream.opener.open(request, timeout=600)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.relay(answer)

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = self.mode()
        with open(os.path.join(self.server.folder, "requests"), "a", encoding="utf-8") as f:
            f.write("%s %s %s\n" % (mode, self.command, self.path))
        if self.headers.get("Authorization") != "Bearer MARKER-token":
            mode = "401"
        if mode == "pass":
            self.forward(body)
        elif mode == "nonsense":
            self.answer(200, b"<html>welcome to the login page</html>")
        elif mode == "silent":
            time.sleep(SILENCE_S)
            self.close_connection = True
        else:
            retry = (("Retry-After", "1"),) if mode == "429" else ()
            self.answer(int(mode), (STATUS % (REASONS[int(mode)], int(mode))).encode(), *retry)

    def log_message(self, *_):
        pass

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request


def main():
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.upstream = compare.Server(sys.argv[1])
    server.folder = sys.argv[2]
    os.makedirs(server.folder, exist_ok=True)
    path = os.path.join(server.folder, "kubeconfig")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(CONFIG % server.server_port)
    os.rename(path + ".new", path)
    server.serve_forever()


if __name__ == "__main__":
    main()
