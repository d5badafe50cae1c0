#!/usr/bin/env python3
"""admin_stub.py FOLDER STATUS BODY: an AdminServer over https on a free port of loopback that answers every GET with that; the
certificate is FOLDER/tls/server.crt. FOLDER/stub.port is its port once it listens, FOLDER/stub.seen has the path and the line
Authorization of each request."""

import http.server
import os
import ssl
import sys

folder, status, body = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(os.path.join(folder, "stub.seen"), "a", encoding="utf-8") as seen:
            print(self.path, self.headers.get("Authorization", "none"), file=seen)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status // 100 == 3:
            self.send_header("Location", "/commands/srvr")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, "tls/server.crt"), os.path.join(folder, "tls/server.key"))
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(folder, "stub.port.new"), "w", encoding="utf-8") as port:
    print(server.server_port, file=port)
os.rename(os.path.join(folder, "stub.port.new"), os.path.join(folder, "stub.port"))
server.serve_forever()
