"""The figures as text: a table of what was measured, and how it stands to the goals.

Read `run.py` first.
"""

import re
import statistics

import machine

SOAP_PEERS = ("npm soap", "fastify + fast-xml-parser", "Python lxml + aiohttp")
BUSY = 0.85
# Of the server's core, what other programs may take before a row is not to be trusted.
OTHERS = 0.1
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def text(results):
    """The whole section."""
    rows = {row["name"]: row for row in results["rows"]}
    parts = [head(results), table(results["rows"])]
    if "Naru SOAP" in rows:
        parts.append(goals(results, rows))
    for name, reason in results["missing"].items():
        parts.append(f"**Missing, not measured: {name}.** {reason.splitlines()[0]}")
    return "\n\n".join(parts) + "\n"


def head(results):
    return (
        f"Measured {results['date']} on {machine.description()}; {results['rounds']} interleaved "
        "rounds, medians, by `make bench`. The server has one core; load and backend have the other."
    )


def table(rows):
    """One line for each contender and number of connections."""
    lines = [
        "| Work | connections | req/s | CPU µs | core busy | offered/s | p50 ms | p99 ms | MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        for connections, closed in row["closed"].items():
            opened = row["open"][connections]
            cells = [
                row["name"],
                connections,
                f"{median(closed, 'rate'):,.0f}{mark(connections, closed)}",
                f"{median(closed, 'cpu'):.0f}",
                f"{median(closed, 'busy'):.2f}",
                f"{opened[0]['offered']:,.0f}",
                f"{median(opened, 'p50') / 1000:.2f}",
                f"{median(opened, 'p99') / 1000:.2f}",
                f"{row['memory']:.0f}",
            ]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    notes = {
        "†": f"The server's core was less than {BUSY} busy: the rate is not the server's limit.",
        "‡": f"Other programs took more than {OTHERS} of the server's core: do not trust the row.",
    }
    used = [f"{sign} {note}" for sign, note in notes.items() if any(sign in line for line in lines)]
    return "\n".join(lines) + "".join(f"\n\n{note}" for note in used)


def mark(connections, closed):
    """What is wrong with a rate. One connection cannot keep a core busy, so there it says nothing."""
    if median(closed, "others") > OTHERS:
        return " ‡"
    return " †" if median(closed, "busy") < BUSY and int(connections) > 1 else ""


def goals(results, rows):
    """Goal, figure, and whether it is reached."""

    def rate(name):
        return median(rows[name]["closed"][64], "rate") if name in rows else None

    soap = rate("Naru SOAP")
    lines = ["| Goal | | measured | |", "|---|---|--:|---|"]

    def goal(label, wanted, measured, reached):
        lines.append(f"| {label} | {wanted} | {measured} | {'reached' if reached else '**not reached**'} |")

    peers = [r for r in map(rate, SOAP_PEERS) if r]
    if peers:
        ratio = soap / max(peers)
        goal("P1", "≥ 4 × the fastest SOAP peer", f"{ratio:.2f} ×", ratio >= 4)
    for name, factor in (("Envoy", 1.0), ("nginx", 0.4)):
        if rate(name):
            ratio = soap / rate(name)
            goal("P1", f"≥ {factor} × {name}, plain JSON", f"{ratio:.2f} ×", ratio >= factor)
    p50, disk = median(rows["Naru SOAP"]["open"][1], "p50"), results["disk_p50"]
    over = (p50 - disk) / 1000
    wanted = f"one connection: p50 ≤ fdatasync ({disk / 1000:.2f} ms) + 0.25 ms"
    goal("P2", wanted, f"{p50 / 1000:.2f} ms", over <= 0.25)
    for cores, seen in results.get("journal", {}).items():
        share = seen["entries"] / seen["bare"]
        wanted = f"journal, {cores}: ≥ 0.8 of a bare group commit ({seen['bare']:,.0f}/s)"
        goal("P3", wanted, f"{share:.2f} ({seen['entries']:,.0f}/s)", share >= 0.8)
    served, memory = results["memory_after"]
    goal("P9", f"memory after {served:,} requests ≤ 48 MB", f"{memory:.0f} MB", memory <= 48)
    start = statistics.median(results["start"])
    goal("P9", "start-up to ready ≤ 0.3 s", f"{start:.3f} s", start <= 0.3)
    entries, restart = results["restart"]
    goal("P9", f"the same with {entries:,} entries in the log", f"{restart:.3f} s", restart <= 0.3)
    return "\n".join(lines)


def write(path, section):
    """Puts the section between the page's markers."""
    page = path.read_text()
    body = f"{BEGIN}\n{section}{END}"
    path.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: body, page, flags=re.DOTALL))
