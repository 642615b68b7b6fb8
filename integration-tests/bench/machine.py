"""What the kernel says about a server and the machine. Linux only.

Read `run.py` first.
"""

import os
import platform
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE = 0
LOAD_CORE = 1


def pinned(core, command):
    """The command, kept on one core."""
    return ["taskset", "-c", str(core), *map(str, command)]


def tree(pid):
    """The process and all its descendants."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _stat(stat)
        if fields:
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, []))
    return found


def cpu_seconds(pid):
    """User and system time that the process tree has used."""
    user = system = 0
    for one in tree(pid):
        fields = _stat(Path(f"/proc/{one}/stat"))
        if fields:
            user, system = user + int(fields[11]), system + int(fields[12])
    return user / TICK, system / TICK


def resident_mb(pid):
    """Resident memory of the process tree."""
    total = 0
    for one in tree(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except FileNotFoundError:
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


def _stat(path):
    """The fields after the name: state, parent, ..."""
    try:
        return path.read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


class Witness:
    """How busy the server and its core are while a block of code runs."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.began = time.monotonic(), cpu_seconds(self.pid), _core(SERVER_CORE)
        return self

    def __exit__(self, *_):
        began, (user, system), core = self.began
        wall = time.monotonic() - began
        user_now, system_now = cpu_seconds(self.pid)
        everyone, idle, total = (now - then for now, then in zip(_core(SERVER_CORE), core))
        self.cpu = user_now - user + system_now - system
        self.busy = 1 - idle / total if total else 0.0
        # In the kernel one cannot tell whose disk and network work it is, so others are judged by
        # their time outside it, and by what the machine below took.
        self.others = (everyone / TICK - (user_now - user)) / wall


def _core(number):
    """Ticks of a core: programs' own and stolen, idle, all."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *counts = line.split()
        if name == f"cpu{number}":
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, counts[:8])
            kernel = system + irq + softirq
            return user + nice + steal, idle + iowait, user + nice + steal + idle + iowait + kernel
    raise SystemExit(f"there is no core {number}: two are needed")


def description():
    """The machine in one line, without its name."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(
        (key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in info)
    )
    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = fields.get("model name", platform.machine())
    family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    return f"{cores} cores of {model} ({family}), {memory:.0f} GiB, Linux {platform.release()}"
