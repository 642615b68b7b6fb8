"""An RFC 3161 authority over HTTP, on loopback: `openssl ts` behind Python's web server.

timestamp_authority.py PORT FOLDER — makes its certificates in FOLDER (ca.pem is for those who verify),
then serves until it is ended.
"""

import http.server
import pathlib
import subprocess
import sys

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Practice
[ca]
basicConstraints = critical, CA:TRUE
[tsa]
extendedKeyUsage = critical, timeStamping
[service]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
"""


def openssl(folder: pathlib.Path, line: str) -> None:
    subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)


def prepare(folder: pathlib.Path) -> None:
    (folder / "conf").write_text(CONFIGURATION)
    (folder / "serial").write_text("01\n")
    for name in ("ca", "tsa"):
        openssl(folder, f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key")
    openssl(folder, "req -x509 -new -config conf -extensions ca -subj /CN=CA -days 9 -key ca.key -out ca.pem")
    openssl(folder, "req -new -config conf -subj /CN=TSA -key tsa.key -out tsa.csr")
    openssl(
        folder,
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -days 9 -extfile conf -extensions tsa -out tsa.pem",
    )


def handler(folder: pathlib.Path) -> type:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/timestamp-query"
            query = self.rfile.read(int(self.headers["content-length"]))
            (folder / "query").write_bytes(query)
            openssl(
                folder,
                "ts -reply -config conf -section service -queryfile query -inkey tsa.key "
                "-signer tsa.pem -out reply",
            )
            reply = (folder / "reply").read_bytes()
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    port, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    directory.mkdir(exist_ok=True)
    prepare(directory)
    server = http.server.HTTPServer(("127.0.0.1", port), handler(directory))
    print("ready", flush=True)
    server.serve_forever()
