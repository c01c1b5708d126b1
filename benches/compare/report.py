"""Writes docs/performance.md and its plots from the figures of the runs."""

import os
import re
from pathlib import Path
from statistics import median

import plot
import table

ROOT = Path(__file__).parent.parent.parent
PAGE = Path(os.environ.get("PAGE", ROOT / "docs/performance.md"))
PLOTS = PAGE.parent / "plots"
ORDER = ("adsum", "adsum-archive", "prosody", "prosody-as-shipped", "prosody-archive", "ejabberd", "kamailio", "kamailio-sqlite")


def tell(value):
    """A figure with three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Results:
    """Figures by scenario and server."""

    def __init__(self, data):
        self.data, self.runs = data, data["runs"]
        self.titles = {key: server["title"] for key, server in data["servers"].items()}

    def values(self, scenario, server, figure):
        """What the repetitions gave."""
        return [run["figures"][figure] for run in self.runs
                if (run["scenario"], run["server"]) == (scenario, server) and figure in run.get("figures", {})]

    def middle(self, scenario, server, figure):
        """The median, where there is one."""
        found = self.values(scenario, server, figure)
        return median(found) if found else None

    def cell(self, scenario, server, figure):
        """The median with the least and the most of several repetitions."""
        found = self.values(scenario, server, figure)
        if not found:
            tried = any((run["scenario"], run["server"]) == (scenario, server) for run in self.runs)
            return "failed" if tried else ""
        spread = f" <sub>{tell(min(found))}–{tell(max(found))}</sub>" if len(found) > 1 else ""
        return f"{tell(median(found))}{spread}"

    def servers(self, scenarios):
        """The servers that have anything in these scenarios, in order."""
        there = {run["server"] for run in self.runs if run["scenario"] in scenarios}
        return [key for key in ORDER if key in there]

    def steps(self, start, whole=None):
        """Scenarios that differ in a number of sessions: (number, scenario)."""
        found = {}
        for run in self.runs:
            if match := re.fullmatch(rf"{start}-(\d+)", run["scenario"]):
                found[int(match[1])] = run["scenario"]
            elif run["scenario"] == whole and "figures" in run:
                found[run["figures"]["sessions"]] = whole
        return sorted(found.items())


def lines(header, rows):
    """A table; the first column is text, the others are figures."""
    rule = "|---|" + "---:|" * (len(header) - 1)
    return ["| " + " | ".join(header) + " |", rule, *("| " + " | ".join(row) + " |" for row in rows), ""]


def absolute(results, rows):
    """What each server needs."""
    servers = results.servers({row.scenario for row in rows})
    body = []
    for row in rows:
        cells = [results.cell(row.scenario, key, row.figure) for key in servers]
        if any(cells):
            body.append([f"{row.title}, {row.unit}", *cells])
    return lines(["", *(results.titles[key] for key in servers)], body) if body else []


def limits(results):
    """Adsum against the best peer and against its own limits; how many rows miss something."""
    body, missed = [], 0
    for row in table.ROWS:
        ours = results.middle(row.scenario, "adsum", row.figure)
        theirs = {key: results.middle(row.scenario, key, row.figure) for key in row.against}
        theirs = {key: value for key, value in theirs.items() if value is not None}
        if row.most is None and row.share is None:
            continue
        if ours is None:
            if any(run["scenario"] == row.scenario and run["server"] == "adsum" for run in results.runs):
                missed += 1
                body.append([row.title, "failed", "", "", "", "", "**missed**"])
            continue
        best = min(theirs, key=theirs.get) if theirs else None
        ratio = ours / theirs[best] if best and theirs[best] > 0 else None
        far = []
        if row.share is not None and ratio is not None and ratio > row.share:
            far.append("ratio")
        if row.most is not None and ours > row.most:
            far.append("figure")
        missed += bool(far)
        body.append([
            row.title, f"{tell(ours)} {row.unit}", f"{tell(theirs[best])} ({results.titles[best]})" if best else "none",
            f"{ratio:.2f}" if ratio is not None else "", f"{row.share:g}" if row.share else "",
            f"{row.most:g} {row.unit}" if row.most is not None else "",
            f"**missed: {' and '.join(far)}**" if far else "kept"])
    header = ["", "Adsum", "best peer", "ratio", "ratio at most", "figure at most", ""]
    return lines(header, body), missed


def latency(results):
    """Latency at parts of each server's own capacity."""
    scenarios = sorted({run["scenario"] for run in results.runs if run["scenario"].startswith("messages-at-")},
                       key=lambda name: int(re.search(r"\d+", name)[0]))
    servers = results.servers(set(scenarios))
    body, series = [], []
    for name in scenarios:
        cells = []
        for key in servers:
            rate = results.middle(name, key, "rate_per_s")
            cells.append(f"{results.cell(name, key, 'p50_ms')} / {results.cell(name, key, 'p99_ms')} at {tell(rate)}/s" if rate else "failed")
        body.append([name.removeprefix("messages-at-").replace("%", " %"), *cells])
    for key in servers:
        for figure, faint in (("p99_ms", False), ("p50_ms", True)):
            points = [(results.middle(name, key, "rate_per_s"), results.middle(name, key, figure)) for name in scenarios]
            points = [(x, y) for x, y in points if x and y]
            series.append((key, f"{results.titles[key]}", points, faint))
    if not any(points for _, _, points, _ in series):
        return []
    write_plot("latency", plot.chart("Latency of messages under load", "p99, and p50 dashed; each server at parts of its own capacity",
                                     "messages a second", "milliseconds", series, (True, True)))
    return ["## Latency under load", "",
            "Messages are sent at a rate, whether or not they arrive: p50 / p99 in ms, at parts of what each server delivered in the closed "
            "loop of 200 senders. The times hold the delays of the load program and of the machine too.", "",
            *lines(["part of capacity", *(results.titles[key] for key in servers)], body),
            "![Latency of messages under load](plots/latency.svg)", ""]


def browsers(results, rows):
    """What the same costs over HTTP."""
    body = absolute(results, rows)
    if not body:
        return []
    return ["## Browsers", "",
            "The same over BOSH (hold 1, two connections at most, a request for each answer) and WebSocket, in the clear; what HTTP costs on both ends "
            "is in it: a message over BOSH is two requests and two answers.", "", *body]


def growth(results, title, name, start, whole, figure, unit, text, up):
    """How a figure changes with the number of sessions."""
    steps = results.steps(start, whole)
    servers = [key for key in results.servers({scenario for _, scenario in steps}) if key != "prosody-as-shipped"]
    if len(steps) < 2:
        return []
    body, series = [], []
    for count, scenario in steps:
        body.append([f"{count:,}", *(results.cell(scenario, key, figure) for key in servers)])
    ratios = ["most / least"]
    for key in servers:
        points = [(count, results.middle(scenario, key, figure)) for count, scenario in steps]
        points = [point for point in points if point[1]]
        series.append((key, results.titles[key], points, False))
        ratios.append(f"{max(y for _, y in points) / min(y for _, y in points):.2f}" if points else "")
    if not any(points for _, _, points, _ in series):
        return []
    write_plot(name, plot.chart(title, "each step on a fresh process", "sessions online", up, series))
    return [f"### {title}", "", text, "", *lines(["sessions", *(f"{results.titles[key]}, {unit}" for key in servers)], [*body, ratios]),
            f"![{title}](plots/{name}.svg)", ""]


def rosters(results):
    """What logging in costs with rosters of several sizes."""
    found = [run["figures"] for run in results.runs if run["scenario"] == "roster" and "figures" in run]
    kinds = {}
    for figures in found:
        for key in figures:
            if match := re.fullmatch(r"(\w+?)_(\d+)_us", key):
                kinds.setdefault(match[1], set()).add(int(match[2]))
    if not kinds:
        return []
    servers = results.servers({"roster"})
    names = {"get": "Login and roster", "change": "Change of presence, five contacts online"}
    body = [[f"{names.get(kind, kind)}, {count:,} contacts, µs", *(results.cell("roster", key, f"{kind}_{count}_us") for key in servers)]
            for kind, counts in kinds.items() for count in sorted(counts)]
    return ["### Size of the roster", "", "Server CPU of one person with so many contacts, most of them offline.", "",
            *lines(["", *(results.titles[key] for key in servers)], body)]


def archives(results):
    """What a message costs that is kept by both sides."""
    servers = results.servers({"archived"})
    if not servers:
        return []
    body = [[title, *(results.cell("archived", key, figure) for key in servers)]
            for title, figure in (("Server CPU per message, µs", "cpu_us"), ("Latency, p50, ms", "p50_ms"), ("Latency, p99, ms", "p99_ms"))]
    return ["## Archives", "", "Each message in the archives of both sides, written through to SQLite: to Adsum 30,000 a second in all, to Prosody as many as it takes.", "",
            *lines(["", *(results.titles[key] for key in servers)], body)]


def write_plot(name, text):
    """Puts a plot in place."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    (PLOTS / f"{name}.svg").write_text(text)


def failures(results):
    """What could not be measured, and why."""
    seen = {}
    for run in results.runs:
        if "failed" in run:
            seen.setdefault((run["scenario"], results.titles[run["server"]]), run["failed"])
    body = [f"- {scenario}, {title}: {' '.join(why.split())[:300]}" for (scenario, title), why in seen.items()]
    body += [f"- {name}: not known to this load program" for name in results.data.get("unknown", [])]
    return ["## Not measured", "", *(body or ["Everything that was begun has been measured."]), ""]


def conditions(results):
    """Machine, versions, configurations and commands."""
    data, machine = results.data, results.data["machine"]
    dates = sorted(run["at"][:10] for run in results.runs)
    quick = any(run["quick"] for run in results.runs)
    turns = 1 + max(run["turn"] for run in results.runs)
    files = {"adsum": "adsum.toml", "adsum-archive": "adsum.toml", "prosody": "prosody.cfg.lua", "prosody-archive": "prosody.cfg.lua", "prosody-as-shipped": "prosody.cfg.lua", "ejabberd": "ejabberd.yml",
             "kamailio": "kamailio.cfg", "kamailio-sqlite": "kamailio.cfg"}
    command = f"benches/compare/run{' quick' if quick else ''}"
    text = [f"Made by `{command}` on {dates[0] if dates[0] == dates[-1] else dates[0] + ' to ' + dates[-1]}, {turns} "
            f"repetition{'s' if turns > 1 else ''}; `benches/compare/run report` writes this page again from "
            "[the figures](../benches/compare/figures.json)."]
    if quick:
        text += ["", "**Some of these figures are of a quick run**: short, few sessions, on a machine that had other work. "
                     "They show the order of things, no more."]
    commits = ", ".join(sorted({run["commit"] for run in results.runs if run["server"] == "adsum"}))
    versions = {key: server["version"].split(" (")[0] for key, server in data["servers"].items()}
    versions["adsum"] += f" ({commits})"
    body = [[server["title"], versions[key], f"[{files[key]}](../benches/compare/peers/{files[key]})"]
            for key, server in sorted(data["servers"].items(), key=lambda item: ORDER.index(item[0]))]
    return [*text, "",
            f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_mb'] / 1000:.0f} GB, "
            f"{machine['system']}, {machine['kernel']}. Load: {data['load']}.", "",
            "| server | version | configuration |", "|---|---|---|", *("| " + " | ".join(row) + " |" for row in body), ""]


INTRO = """\
<!-- Written by benches/compare/run from benches/compare/figures.json. Changes belong there. -->
# Performance

What Adsum costs beside Debian's Prosody, ejabberd and Kamailio, driven by the same load program
([benches/load](../benches/load/README.md)) in the same run.
"""

METHOD = """\
How to read it:

- All servers and the load program share the cores of one machine, with whatever else it does. Absolute figures move with it; the
  ratios of one run are what counts. A figure is the median of the repetitions, with the least and the most beside it.
- Servers take turns within each repetition, each time as a fresh process on loopback. CPU is user and system time of all the server's
  processes and threads for each operation, system calls included. Memory is the growth of resident memory from the first sessions to all,
  for each session; a KB is 1,000 bytes.
- Configurations are fair to the peers: no limits, no logs but errors, no archive where none is named, no modules beyond what presence and messages need;
  Prosody with the generational collector (which suits it best but for memory; the other one is shown where it matters), ejabberd without spinning
  schedulers, Kamailio with its fastest allocator, two workers and everything in memory. Every phone authenticates with digest; Kamailio
  knows the password from its script and reads no table.
- Browsers reach the servers by a listener for HTTP that only those scenarios have: mod_bosh and mod_websocket; ejabberd_http with mod_bosh
  (sessions in Mnesia) and ejabberd_http_ws.
- Adsum keeps publications and subscriptions durable throughout; the limits hold it against Kamailio's memory-only mode. Kamailio with
  SQLite writes through (WAL), with one worker: its driver has no busy timeout, and with two writers requests fail.
- All servers use the same certificate (ECDSA P-256) and take TLS from the first byte; no session is resumed. Passwords are stored as
  SCRAM keys, with the same rounds.
"""


def write(data):
    """The document and its plots."""
    results = Results(data)
    if not results.runs:
        return
    judged, missed = limits(results)
    verdict = "All limits are kept." if missed == 0 else f"**{missed} of {len(judged) - 3} rows miss a limit.**"
    chat = [row for row in table.ROWS if row.against == table.CHAT[1:]]
    web = [row for row in table.ROWS if row.against == table.WEB[1:]]
    phone = [row for row in table.ROWS if row.against == table.MEMORY]
    page = [INTRO, *conditions(results), METHOD, "## Against the limits", "",
            "The ratio is Adsum's figure by that of the best peer (of Kamailio, the one in memory). At most a fifth of the best XMPP server and "
            "half of Kamailio is allowed; figures at most are meant for a quiet machine with two cores.", "",
            verdict, "", *judged,
            "## Chat", "", *absolute(results, chat), *browsers(results, web), "## Phones", "", *absolute(results, phone),
            *archives(results), *latency(results), "## Growth", "",
            *growth(results, "CPU per delivered presence", "presence", "presence-among", None, "cpu_us", "µs",
                    "25 people change their presence for 20 contacts each while so many sessions are online.", "µs for each copy"),
            *growth(results, "Memory per idle session", "memory", "idle", "idle", "session_kb", "KB",
                    "Growth of resident memory from 200 sessions to so many, for each.", "KB for each session"),
            *rosters(results), *failures(results)]
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n".join(page).rstrip("\n") + "\n")
    print(f"written: {PAGE}; {missed} rows miss a limit")
