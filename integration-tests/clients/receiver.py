"""A legacy system that is called back: verifies each callback with the reference library.

Usage: receiver.py PORT SECRET_FILE BEHAVIOR[,BEHAVIOR…] [CERTIFICATE KEY]
Answers its calls by these behaviors in turn, the last for all that follow:
ok, huge (never ends), slow, 500, 503, redirect, gone. Prints one JSON object per call.
"""

import http.server
import json
import ssl
import sys
import time

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

port, secret_file, behaviors, *certificate = sys.argv[1:]
behaviors = behaviors.split(",")
with open(secret_file) as file:
    webhook = Webhook(file.read().strip())


def is_signed(body, headers):
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return False
    except json.JSONDecodeError:
        # The library reads JSON only after the signature was right.
        return True
    return True


class Receiver(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        print(json.dumps({"followed": self.path}), flush=True)
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        behavior = behaviors.pop(0) if len(behaviors) > 1 else behaviors[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        verified = is_signed(body, headers)
        if is_signed(body + b" ", headers):
            verified = "anything"
        said = {
            "path": self.path,
            "id": headers.get("webhook-id"),
            "verified": verified,
            "behavior": behavior,
            "contentType": headers.get("content-type"),
            "body": body.decode(),
        }
        print(json.dumps(said, ensure_ascii=False), flush=True)
        try:
            self.behave(behavior)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def behave(self, behavior):
        if behavior == "slow":
            time.sleep(5)
        if behavior == "huge":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        codes = {"500": 500, "503": 503, "redirect": 307, "gone": 410}
        self.answer(codes.get(behavior, 200))

    def answer(self, status):
        self.send_response(status)
        if status == 307:
            self.send_header("location", f"http://127.0.0.1:{port}/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
