"""A provider over HTTP that behaves as the path says. It prints its port and serves until killed.

Nothing here is shared with the gateway: http.server speaks HTTP, and this decides what it says.
"""

import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
DONE = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/ready":
            return self.say(200, b"ready")
        return self.say(404, b"nothing here")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        act = getattr(self, "on_" + self.path.strip("/"), None)
        if act is None:
            return self.say(404, b"no such path")
        return act(body)

    def on_query(self, body):
        self.say(200, b"you said " + body)

    def on_submit(self, body):
        with LOCK:
            DONE.append(body)
        self.say(200, b"done")

    def on_count(self, _body):
        with LOCK:
            self.say(200, str(len(DONE)).encode())

    def on_header(self, _body):
        self.say(200, self.headers.get("x-api-key", "none").encode())

    def on_refuse(self, _body):
        self.say(409, b"refused")

    def on_slow(self, _body):
        # Until the caller goes away.
        self.connection.recv(1)
        self.close_connection = True

    def on_lose(self, body):
        with LOCK:
            DONE.append(body)
        self.close_connection = True

    def on_oversize(self, _body):
        self.say(200, b"x" * (2 << 20))

    def on_endless(self, _body):
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            self.close_connection = True

    def on_truncate(self, _body):
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"not so many")
        self.close_connection = True

    def on_garble(self, _body):
        self.wfile.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
        self.close_connection = True

    def on_redirect(self, _body):
        self.send_response(302)
        self.send_header("location", "/submit")
        self.send_header("content-length", "0")
        self.end_headers()

    def say(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    if len(sys.argv) > 2:
        certificate, key, authority = sys.argv[2:5]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
