#!/usr/bin/env python3
"""`make bench`: measures Naru beside its peers in one run and writes docs/performance.md.

Every server is kept on core 0; the load and the stub backend are on core 1. The servers run side by
side and are loaded in turn, A B A B, at least five rounds; figures are medians over the rounds.
Rates come from a closed loop, latencies from an open loop at one offered rate for all. Read next:
`machine.py` (what the kernel says), `servers.py` (what is started), `report.py` (what is written).
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
import servers
from machine import LOAD_CORE, SERVER_CORE, Witness, pinned, resident_mb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUESTS = HERE / "requests"
CONNECTIONS = (64, 16, 1)
BEFORE_MEMORY = 100_000
STARTS = 5
OFFERED_SHARE = 0.5


def say(text):
    """A line of progress."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


class Contender:
    """One server and the work it is given."""

    def __init__(self, name, pid, load):
        self.name, self.pid, self.load = name, pid, load
        self.closed, self.open = {}, {}
        self.served = 0

    def run(self, program, connections, seconds, rate=None):
        """Loads it once and returns what the load generator and the kernel saw."""
        command = [program, *self.load, "--connections", connections, "--seconds", seconds]
        if rate:
            command += ["--rate", rate]
        with Witness(self.pid) as witness:
            done = subprocess.run(pinned(LOAD_CORE, command), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.name}: the load failed: {done.stderr}")
        seen = json.loads(done.stdout)
        if seen["wrong"]:
            raise SystemExit(f"{self.name}: a wrong answer: {seen['wrong_example']}")
        self.served += seen["requests"]
        seen["cpu"] = witness.cpu * 1e6 / max(seen["requests"], 1)
        seen["busy"], seen["others"] = witness.busy, witness.others
        return seen


def main():
    arguments = parse()
    target = target_folder()
    folder = target / "bench" / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    load, naru, example = build(target, arguments)
    with contextlib.ExitStack() as stack:
        results = measure(arguments, load, None if arguments.peers_only else naru, folder, stack)
    if not arguments.peers_only:
        results["journal"] = journal(example, folder)
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    text = report.text(results)
    print(text)
    if not arguments.peers_only:
        report.write(ROOT / "docs" / "performance.md", text)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    parser.add_argument("--peers-only", action="store_true", help="without Naru; writes nothing")
    parser.add_argument("--no-build", action="store_true", help="what was built is there already")
    return parser.parse_args()


def target_folder():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(json.loads(done.stdout)["target_directory"])


def build(target, arguments):
    """Builds everything that runs, and returns the load generator, Naru and the journal's example."""
    manifest, own = HERE / "load" / "Cargo.toml", target / "bench" / "load"
    wanted = [["--manifest-path", manifest, "--target-dir", own]]
    if not arguments.peers_only:
        # In one command, so that both are built from the same dependencies.
        packages = ["--package", "naru", "--package", "gateway-journal"]
        wanted.append([*packages, "--bins", "--example", "append"])
    for options in [] if arguments.no_build else wanted:
        command = ["cargo", "build", "--release", "--locked", *map(str, options)]
        say(" ".join(command))
        if subprocess.run(command, cwd=ROOT).returncode:
            sys.exit("the build failed")
    release = target / "release"
    return own / "release" / "load", release / "naru", release / "examples" / "append"


def measure(arguments, load, program, folder, stack):
    """Starts everything, measures, and returns what was seen."""
    results = {"date": time.strftime("%Y-%m-%d"), "rounds": arguments.rounds, "missing": {}}
    backend, backend_port = servers.backend(load, folder)
    stack.callback(backend.stop)
    contenders = []
    if program:
        say("Naru: start-up")
        naru, results["start"] = start_naru(program, folder, backend_port)
        stack.callback(lambda: naru.server.stop())
        naru.grant_consents()
        contenders += of_naru(naru)
    contenders += peers(folder, backend_port, results["missing"], stack)

    say("warm-up")
    for contender in contenders:
        contender.run(load, 64, 3)
    if program:
        first = contenders[0]
        while first.served < BEFORE_MEMORY:
            first.run(load, 64, 5)
        results["memory_after"] = [first.served, resident_mb(first.pid)]

    disk = []
    for number in range(1, arguments.rounds + 1):
        disk.append(fdatasync(load, folder))
        for connections in CONNECTIONS:
            round_of(contenders, load, connections, arguments.seconds, number)
    results["disk_p50"] = statistics.median(disk)
    results["rows"] = [
        {
            "name": contender.name,
            "closed": contender.closed,
            "open": contender.open,
            "memory": resident_mb(contender.pid),
            "served": contender.served,
        }
        for contender in contenders
    ]
    if program:
        naru.server.stop()
        results["restart"] = [sum(one.served for one in contenders[:3]), naru.start()]
    return results


def round_of(contenders, load, connections, seconds, number):
    """One round at this many connections: every contender's rate, then every one's latency."""
    for contender in contenders:
        seen = contender.run(load, connections, seconds)
        contender.closed.setdefault(connections, []).append(seen)
    rates = [statistics.median(s["rate"] for s in c.closed[connections]) for c in contenders]
    offered = round(min(rates) * OFFERED_SHARE, -1) if number == 1 else None
    for contender in contenders:
        runs = contender.open.setdefault(connections, [])
        rate = offered or runs[0]["offered"]
        runs.append(contender.run(load, connections, seconds / 2, rate) | {"offered": rate})
    shown = ", ".join(f"{c.name} {rate:,.0f}/s" for c, rate in zip(contenders, rates))
    say(f"round {number}, {connections} connections: {shown}")


def start_naru(program, folder, backend_port):
    """Starts it several times on a fresh folder; the last one stays."""
    took = []
    for number in range(STARTS):
        naru = servers.Naru(program, folder / f"naru-{number}", backend_port)
        took.append(naru.start())
        if number < STARTS - 1:
            naru.server.stop()
    return naru, took


def of_naru(naru):
    """Naru's own rows."""
    pid = naru.server.pid
    http = ["http", "--to", f"127.0.0.1:{naru.http}"]
    soap = post("/soap/welfare", "history.xml", "0000<", naru.api_keys["mohw"])
    soap += ["--persons", servers.PERSONS]
    rest = post("/v1/welfare/overlapCheck", "overlap.json", "overlapping", naru.api_keys["portal"])
    telegram = naru.folder / "overlap.telegram"
    text = (REQUESTS / "overlap.telegram").read_text().rstrip("\n")
    telegram.write_text(text.replace("@KEY@".ljust(64), naru.api_keys["city-a"]))
    wire = ["telegram", "--to", f"127.0.0.1:{naru.telegram}", "--body", telegram]
    return [
        Contender("Naru SOAP", pid, http + soap),
        Contender("Naru REST", pid, http + rest),
        Contender("Naru telegram", pid, wire),
    ]


def peers(folder, backend_port, missing, stack):
    """Every peer that can be had."""
    soap = post("/soap/welfare", "history.xml", "0000<")
    plain = post("/records", "overlap.json", "count", "member-1")
    known = [
        ("npm soap", servers.node("soap.mjs"), soap),
        ("fastify + fast-xml-parser", servers.node("fastify.mjs"), soap),
        ("Python lxml + aiohttp", servers.lxml, soap),
        ("Envoy", servers.envoy, plain),
        ("nginx", servers.nginx, plain),
    ]
    found = []
    for name, start, load in known:
        say(f"peer: {name}")
        try:
            server, port = start(folder, backend_port)
        except servers.Missing as reason:
            say(f"MISSING, not measured: {name}: {reason}")
            missing[name] = str(reason)
            continue
        stack.callback(server.stop)
        to = ["http", "--to", f"127.0.0.1:{port}"]
        found.append(Contender(name, server.pid, to + load))
    return found


def post(path, body, expect, key=None):
    """The load generator's arguments for a body."""
    kind = "application/json" if body.endswith(".json") else "text/xml; charset=utf-8"
    headers = [f"content-type: {kind}"]
    if body.endswith(".xml"):
        headers.append('soapaction: ""')
    if key:
        headers.append(f"x-api-key: {key}")
    arguments = ["--path", path, "--body", REQUESTS / body, "--expect", expect]
    for header in headers:
        arguments += ["--header", header]
    return arguments


def fdatasync(load, folder):
    """What one wait for the disk takes, in microseconds."""
    command = pinned(SERVER_CORE, [load, "disk", "--file", folder / "disk"])
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["p50"]


def journal(example, folder):
    """The journal alone, on one core and on both: entries a second, beside a bare group commit."""
    say("journal")
    seen = {}
    for cores, where in (("one core", SERVER_CORE), ("both cores", f"{SERVER_CORE},{LOAD_CORE}")):
        command = pinned(where, [example, 1])
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        bare, entries = (
            float(re.search(rf"^{what} +(\d+) /s", done.stdout, re.MULTILINE)[1])
            for what in ("bare group commit", "journal")
        )
        seen[cores] = {"bare": bare, "entries": entries}
    return seen


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
