"""Runs the scenarios against the servers in turns, keeps the figures and has the document written."""

import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import report
import servers
import table

HERE = Path(__file__).parent
LOAD = Path(os.environ.get("LOAD", "target/release/adsum-load")).resolve()
FIGURES = Path(os.environ.get("FIGURES", HERE / "figures.json"))


def first_line(path, start):
    """What stands behind `start` in a file of the system."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(start):
            return line.split(":", 1)[1].strip()
    return ""


def machine():
    """What the figures depend on."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {
        "processor": first_line("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_mb": int(first_line("/proc/meminfo", "MemTotal").split()[0]) // 1000,
        "kernel": f"{os.uname().sysname} {os.uname().release.split('-')[0]} {os.uname().machine}",
        "system": release.get("PRETTY_NAME", "").strip('"'),
    }


class Figures:
    """The figures of all runs, in a file that is whole at any time."""

    def __init__(self, path):
        self.path = path
        self.data = json.loads(path.read_text()) if path.exists() else {"servers": {}, "runs": []}

    def forget(self, names):
        """Drops what is about to be measured anew."""
        self.data["runs"] = [run for run in self.data["runs"] if run["scenario"] not in names]

    def add(self, run):
        """Keeps one run."""
        self.data["runs"].append(run)
        self.write()

    def write(self):
        """Puts the file in place in one step."""
        runs = ",\n".join(json.dumps(run, sort_keys=True) for run in self.data["runs"])
        head = {key: value for key, value in self.data.items() if key != "runs"}
        text = json.dumps(head, indent=1, sort_keys=True).removesuffix("\n}")
        new = self.path.with_suffix(".new")
        new.write_text(f'{text},\n "runs": [\n{runs}\n]\n}}\n')
        new.replace(self.path)

    def rate(self, server):
        """Messages a second that a server delivered as fast as it could."""
        done = [run["figures"]["rate_per_s"] for run in self.data["runs"]
                if run["scenario"] == "messages" and run["server"] == server and "figures" in run]
        if not done:
            raise servers.Failed("its capacity is not known: scenario messages gives it")
        return median(done)


def knows(scenario):
    """Whether the load program can do this."""
    if not scenario.needs:
        return True
    found = subprocess.run([LOAD, scenario.call[0], "--help"], capture_output=True, text=True, check=False)
    return found.returncode == 0 and (scenario.needs in found.stdout)


def load(scenario, server, call, seconds, timeout):
    """One call of the load program against a fresh process: what it reports."""
    try:
        server.start()
        command = [LOAD, *call, "--port", str(server.ports[scenario.port]), "--pid", str(server.process.pid),
                   "--seconds", str(seconds), "--json"]
        try:
            found = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise servers.Failed(f"not done within {timeout} s") from error
        if found.returncode != 0:
            gone = "" if server.alive() else "the server is gone; "
            raise servers.Failed(f"{gone}{found.stderr.strip()[-500:]} {server.log_end(300)}".strip())
        return json.loads(found.stdout)
    finally:
        server.stop()


def drive(scenario, server, figures, seconds, quick):
    """One run, on data that is made the first time."""
    if server.prepare(scenario.world, table.worlds(quick)[scenario.world], scenario.hash, scenario.port == "http"):
        making = [part.replace("--prepared", "--prepare") for part in scenario.call]
        try:
            load(scenario, server, making, seconds, table.MAKING)
        except servers.Failed as error:
            server.forget()
            raise servers.Failed(f"making the rosters: {error}") from error
    rate = f"{scenario.part * figures.rate(server.key):.1f}" if scenario.part else ""
    return load(scenario, server, [part.replace("{rate}", rate) for part in scenario.call], seconds, scenario.timeout)


def shown(figures):
    """The figures that matter, for people who wait."""
    keys = ("cpu_us", "session_kb", "cpu_s", "rate_per_s", "p50_ms", "p99_ms")
    return ", ".join(f"{key} {figures[key]:g}" for key in keys if key in figures)


def wanted(names, quick):
    """The scenarios to run; a name stands for itself and for what begins with it and a hyphen."""
    known = table.scenarios(quick)
    if not names:
        return known
    for name in names:
        if not any(scenario.name == name or scenario.name.startswith(f"{name}-") for scenario in known):
            sys.exit(f"no such scenario: {name}; there are: {' '.join(scenario.name for scenario in known)}")
    return [scenario for scenario in known
            if any(scenario.name == name or scenario.name.startswith(f"{name}-") for name in names)]


def measure(scenarios, quick, repetitions, figures):
    """All runs: in each repetition every scenario, and for it one server after the other."""
    folder = Path(tempfile.mkdtemp(prefix="adsum-compare-"))
    there = servers.make(folder)
    only = os.environ.get("SERVERS", "").split() or list(there)
    if strangers := set(only) - set(there):
        sys.exit(f"no such servers: {' '.join(sorted(strangers))}; there are {' '.join(there)}")
    commit = servers.output("git", "rev-parse", "--short", "HEAD")
    figures.data["machine"] = machine()
    figures.data["servers"] |= {key: {"title": server.title, "version": server.version()} for key, server in there.items()}
    figures.data["load"] = servers.output(LOAD, "--version")
    unknown = [scenario.name for scenario in scenarios if not knows(scenario)]
    figures.data["unknown"] = unknown
    if unknown:
        print("the load program does not know:", *unknown)
    scenarios = [scenario for scenario in scenarios if scenario.name not in unknown]
    figures.forget({scenario.name for scenario in scenarios})
    seconds, begun = (2 if quick else 5), time.monotonic()
    try:
        for turn in range(repetitions):
            for scenario in scenarios:
                if scenario.once and turn > 0:
                    continue
                for key in filter(only.__contains__, scenario.servers):
                    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None).isoformat()
                    run = {"scenario": scenario.name, "server": key, "turn": turn, "at": f"{now}Z", "quick": quick, "commit": commit}
                    try:
                        run["figures"] = drive(scenario, there[key], figures, seconds, quick)
                        text = shown(run["figures"])
                    except (servers.Failed, OSError, ValueError) as error:
                        run["failed"] = text = str(error)
                        text = f"FAILED: {text}"
                    print(f"{time.monotonic() - begun:6.0f} s  {turn + 1}/{repetitions}  {scenario.name:<26} {key:<19} {text}", flush=True)
                    figures.add(run)
    finally:
        for server in there.values():
            server.stop()
        if os.environ.get("KEEP"):
            print(f"kept: {folder}")
        else:
            servers.remove(folder)
    figures.data["took_s"] = round(time.monotonic() - begun)
    figures.write()


def main():
    """The command line: see `run`."""
    # Ends as Ctrl-C does: the servers are stopped, their folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    words = sys.argv[1:]
    figures = Figures(FIGURES)
    if words != ["report"]:
        quick = words[:1] == ["quick"]
        names = words[1:] if quick else words
        repetitions = int(os.environ.get("REPETITIONS", "1" if quick else "3"))
        measure(wanted(names, quick), quick, repetitions, figures)
    report.write(figures.data)


if __name__ == "__main__":
    main()
