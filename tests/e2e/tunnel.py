#!/usr/bin/env python3
"""tunnel.py FOLDER: a forward proxy on loopback, by CONNECT of HTTP and by SOCKS5 on the same port.

It writes its port to FOLDER/port, and a line per tunnel to FOLDER/tunnels: the protocol, the host and port that were asked for.
"""
import os
import socket
import socketserver
import sys
import threading


def copy(one, other):
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
    except OSError:
        pass
    finally:
        try:
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Handler(socketserver.StreamRequestHandler):
    rbufsize = 0

    def by_socks(self):
        self.rfile.read(self.rfile.read(1)[0])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        if kind == 3:
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, self.rfile.read(4)) if kind == 1 else (socket.AF_INET6, self.rfile.read(16))))
        return "socks5", host, int.from_bytes(self.rfile.read(2), "big"), b"\x05\x00\x00\x01" + bytes(6)

    def by_connect(self):
        where = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        host, port = where.rsplit(":", 1)
        return "connect", host.strip("[]"), int(port), b"HTTP/1.1 200 OK\r\n\r\n"

    def handle(self):
        first = self.rfile.read(1)
        if not first:
            return
        protocol, host, port, answer = self.by_socks() if first == b"\x05" else self.by_connect()
        with open(os.path.join(self.server.folder, "tunnels"), "a", encoding="utf-8") as f:
            f.write("%s %s %d\n" % (protocol, host, port))
        with socket.create_connection((host, port)) as upstream:
            self.wfile.write(answer)
            back = threading.Thread(target=copy, args=(upstream, self.connection), daemon=True)
            back.start()
            copy(self.connection, upstream)
            back.join()


def main():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.folder = sys.argv[1]
    os.makedirs(server.folder, exist_ok=True)
    path = os.path.join(server.folder, "port")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(path + ".new", path)
    server.serve_forever()


if __name__ == "__main__":
    main()
