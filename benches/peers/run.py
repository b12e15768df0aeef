#!/usr/bin/env python3
"""Runs the three standard workloads on scalelab and on published engines, in turns, and compares speed and results.

Needs the standard library only. See README.md for what is measured and how.
"""

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VENV = FOLDER / ".venv"
# What happysim needs.
OLDEST_PYTHON = (3, 13)
WORKLOADS = {"A": "M/M/1, 80 %", "B": "M/M/16, 90 %", "C": "web stack"}
# Where scalelab is told how many customers to simulate: the windows of scalelab/*.yaml times the arrival rates.
SCALELAB_CUSTOMERS = {"A": 20_000_000, "B": 20_160_000, "C": 20_000_000}
RUST = ("handwritten", "desru", "odem_rs", "simcore", "simrs", "nexosim")
PYTHON = ("simpy", "ciw", "asyncflow", "happysim")
YARDSTICK, OURS = "handwritten", "scalelab"
# Customers of the calibrating run: few enough for the slowest engine, enough to be past the start.
CALIBRATION = {"rust": 200_000, "python": 5_000}
# Standard errors of a million customers as fractions, over 60 seeds of the hand-written loops.
STANDARD_ERROR = {
    "A": {"mean": 0.009, "p99": 0.021},
    "B": {"mean": 0.0075, "p99": 0.010},
    "C": {"mean": 0.0015, "p99": 0.004},
}
# Four standard errors, and 1 % for the histograms' buckets (1/128) and the empty start.
ERRORS_ALLOWED, ALLOWANCE = 4, 0.01

# Runs a workload with about so many customers and a seed; returns what the peers print.
Engine = Callable[[str, int, int], dict]


class Failure(Exception):
    """What keeps the comparison from being made; shown without a traceback."""


def output_of(command: Sequence[str | Path]) -> str:
    """Standard output of a command that has to succeed."""
    done = subprocess.run([str(part) for part in command], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def find_python(asked: str | None) -> str:
    """An interpreter that is new enough for the Python peers."""
    installed = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"), reverse=True)
    names = [asked] if asked else ["python3", "python3.13", "python3.14", *map(str, installed)]
    for name in names:
        if path := shutil.which(name):
            probe = subprocess.run(
                [path, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"], capture_output=True
            )
            if probe.returncode == 0:
                return path
    wanted = ".".join(map(str, OLDEST_PYTHON))
    raise Failure(f"no Python {wanted} or newer among {', '.join(names)}; name one with --python")


def prepare_python(asked: str | None) -> None:
    """Creates the virtual environment, unless it already holds the pinned versions."""
    pinned = (FOLDER / "requirements.txt").read_text()
    stamp = VENV / "requirements.txt"
    if stamp.exists() and stamp.read_text() == pinned:
        return
    print("creating the virtual environment …", file=sys.stderr)
    output_of([find_python(asked), "-m", "venv", "--clear", VENV])
    output_of([VENV / "bin/pip", "install", "--quiet", "--requirement", "requirements.txt"])
    stamp.write_text(pinned)


def rust(name: str) -> Engine:
    def run(workload: str, customers: int, seed: int) -> dict:
        program = FOLDER / "target/release" / name
        options = ["--workload", workload, "--customers", str(customers), "--seed", str(seed)]
        return json.loads(output_of([program, *options]))

    return run


def python(name: str) -> Engine:
    def run(workload: str, customers: int, seed: int) -> dict:
        program = [VENV / "bin/python", f"python/{name}_peer.py"]
        options = ["--workload", workload, "--customers", str(customers), "--seed", str(seed)]
        return json.loads(output_of([*program, *options]))

    return run


def scalelab(binary: Path) -> Engine:
    """The project's own binary on a YAML file; the seconds are the whole process's, start and report included.

    The number of customers is that of the file. Of `summary.json` these are read: `provenance.version`, and by the
    names in `metrics` the values of `points[0].runs[0]` for `customers.requests`, `.latency.mean` and `.latency.p99`.
    """

    def run(workload: str, _customers: int, seed: int) -> dict:
        with tempfile.TemporaryDirectory() as out:
            file = f"scalelab/{workload}.yaml"
            options = ["--quiet", "--jobs", "1", "--seed", str(seed), "--out", out]
            start = time.perf_counter()
            output_of([binary, "run", file, *options])
            seconds = time.perf_counter() - start
            summary = json.loads((Path(out) / workload / "summary.json").read_text())
        names = [metric["name"] for metric in summary["metrics"]]
        values = dict(zip(names, summary["points"][0]["runs"][0]["values"], strict=True))
        return {
            "engine": OURS,
            "version": summary["provenance"]["version"],
            "workload": workload,
            "customers": round(values["customers.requests"]),
            "seconds": seconds,
            "mean": values["customers.latency.mean"],
            "p99": values["customers.latency.p99"],
        }

    return run


def erlang_c(servers: int, load: float) -> float:
    """Probability to wait in M/M/c at `load` = λ/μ, by the recursion of Erlang's B."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking / (1 - load / servers * (1 - blocking))


def theory(servers: int, rate: float) -> dict[str, float]:
    """Mean and 99th percentile of the response time of M/M/c FIFO with μ = 1 per server [s]."""
    c, theta = erlang_c(servers, rate), servers - rate

    def tail(t: float) -> float:
        return (1 - c) * math.exp(-t) + c * (theta * math.exp(-t) - math.exp(-theta * t)) / (theta - 1)

    low, high = 0.0, 1_000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > 0.01 else (low, middle)
    return {"mean": c / theta + 1, "p99": low}


def calibrate(engines: dict[str, Engine], workloads: Sequence[str], target: float) -> dict[tuple[str, str], int]:
    """Customers per engine and workload, for runs of about `target` seconds."""
    customers = {}
    for workload in workloads:
        for name, engine in engines.items():
            if name == OURS:
                customers[name, workload] = SCALELAB_CUSTOMERS[workload]
                continue
            probe = engine(workload, CALIBRATION["python" if name in PYTHON else "rust"], 1)
            count = target * probe["customers"] / probe["seconds"]
            digits = 1 - math.floor(math.log10(count))
            customers[name, workload] = int(round(count, digits))
    return customers


def measure(engines: dict[str, Engine], workloads: Sequence[str], rounds: int, target: float) -> list[dict]:
    """All runs: in every round each engine runs each workload once, each round begins with another engine."""
    customers = calibrate(engines, workloads, target)
    runs = []
    for index in range(rounds):
        names = list(engines)
        first = index * len(names) // rounds
        for workload in workloads:
            for name in names[first:] + names[:first]:
                run = engines[name](workload, customers[name, workload], index + 1)
                runs.append(run | {"engine": name, "round": index, "ns": run["seconds"] / run["customers"] * 1e9})
        print(f"round {index + 1} of {rounds} done", file=sys.stderr)
    return runs


def of(runs: list[dict], engine: str, workload: str) -> list[dict]:
    """The runs of one engine on one workload, by round."""
    return [run for run in runs if (run["engine"], run["workload"]) == (engine, workload)]


def ratio(runs: list[dict], engine: str, other: str, workload: str) -> float:
    """Median over the rounds of an engine's time as a multiple of another's in the same round."""
    pairs = zip(of(runs, engine, workload), of(runs, other, workload), strict=True)
    return statistics.median(a["ns"] / b["ns"] for a, b in pairs)


def summarize(runs: list[dict], workloads: Sequence[str]) -> list[dict]:
    """A row per engine and workload: median time, ratios, and how far mean and p99 are from the reference."""
    references = {"A": theory(1, 0.8), "B": theory(16, 14.4)}
    if "C" in workloads:
        yardstick = of(runs, YARDSTICK, "C")
        references["C"] = {key: statistics.fmean(run[key] for run in yardstick) for key in ("mean", "p99")}
    rows = []
    for engine in dict.fromkeys(run["engine"] for run in runs):
        for workload in workloads:
            own = of(runs, engine, workload)
            millions = sum(run["customers"] for run in own) / 1e6
            row = {
                "engine": engine,
                "version": own[0]["version"],
                "workload": workload,
                "customers": own[0]["customers"],
                "ns": statistics.median(run["ns"] for run in own),
                "times_handwritten": ratio(runs, engine, YARDSTICK, workload),
            }
            if any(run["engine"] == OURS for run in runs):
                row["times_scalelab"] = ratio(runs, engine, OURS, workload)
            for key in ("mean", "p99"):
                row[key] = statistics.fmean(run[key] for run in own)
                row[f"{key}_deviation"] = row[key] / references[workload][key] - 1
                error = STANDARD_ERROR[workload][key] / math.sqrt(millions)
                row[f"{key}_tolerance"] = ERRORS_ALLOWED * error + ALLOWANCE
            row["agrees"] = all(abs(row[f"{key}_deviation"]) <= row[f"{key}_tolerance"] for key in ("mean", "p99"))
            rows.append(row)
    return rows


def machine() -> str:
    """The machine's kind: processor, cores, system."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return f"{model}, {os.cpu_count()} logical cores, {platform.system()} {platform.machine()}"


def load() -> float | None:
    """Programs that were running or waiting for a processor over the last minute, on average, where that is known."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first two are right-aligned."""
    rule = ["---", "---", *["---:"] * (len(head) - 2)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *body])


def markdown(rows: list[dict], workloads: Sequence[str], about: dict) -> str:
    """The tables for docs/performance.md."""
    by_engine: dict[str, dict[str, dict]] = {}
    for row in rows:
        by_engine.setdefault(row["engine"], {})[row["workload"]] = row
    order = sorted(by_engine, key=lambda engine: statistics.geometric_mean(r["ns"] for r in by_engine[engine].values()))

    def body(cell: Callable[[dict], str]) -> list[list[str]]:
        return [
            [engine.replace("_", "-"), next(iter(by_engine[engine].values()))["version"] or "–"]
            + [cell(by_engine[engine][workload]) for workload in workloads]
            for engine in order
        ]

    def times(row: dict) -> str:
        multiples = [row[key] for key in ("times_handwritten", "times_scalelab") if key in row]
        shown = ", ".join(f"{multiple:.2f}" if multiple < 10 else f"{multiple:,.0f}" for multiple in multiples)
        return f"{row['ns']:,.0f} ({shown})"

    def agreement(row: dict) -> str:
        parts = [f"{100 * row[f'{key}_deviation']:+.1f} ± {100 * row[f'{key}_tolerance']:.1f}" for key in ("mean", "p99")]
        return ", ".join(parts) + ("" if row["agrees"] else " **no**")

    head = ["engine", "version", *(f"{workload}: {WORKLOADS[workload]}" for workload in workloads)]
    multiple = "the hand-written loop" + (" and of scalelab" if "times_scalelab" in rows[0] else "")
    return "\n\n".join(
        [
            f"Measured on {about['date']} in turns, {about['rounds']} rounds, on: {about['machine']}. "
            f"Load of the machine: {about['load_before']} before, {about['load_after']} after (1 is this comparison).",
            f"Nanoseconds per customer, median (in parentheses: as a multiple of {multiple}, median over the rounds):",
            table(head, body(times)),
            "Deviation of the mean and of the 99th percentile from the reference, and what is allowed [%]:",
            table(head, body(agreement)),
        ]
    )


def verdicts(rows: list[dict]) -> list[str]:
    """What is not as it must be: results that disagree, peers that are faster than scalelab."""
    found = [f"{row['engine']} disagrees on {row['workload']}" for row in rows if not row["agrees"]]
    for row in rows:
        if row["engine"] not in (OURS, YARDSTICK) and row.get("times_scalelab", math.inf) <= 1:
            found.append(f"{row['engine']} is faster than scalelab on {row['workload']}")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scalelab", type=Path, default=FOLDER / "../../target/release/scalelab", metavar="PATH")
    parser.add_argument("--without-scalelab", action="store_true", help="measure the peers only")
    parser.add_argument("--rounds", type=int, default=5, metavar="K")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a run of a peer lasts")
    parser.add_argument("--engines", nargs="+", choices=RUST + PYTHON, default=RUST + PYTHON, metavar="NAME")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--cpu", type=int, help="the processor to run on; the last one if left out (Linux)")
    parser.add_argument("--python", help=f"an interpreter, {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    given = parser.parse_args()
    if given.rounds < 1 or given.seconds <= 0:
        parser.error("there must be a round, and time to run")
    return given


def main() -> int:
    given = arguments()
    engines: dict[str, Engine] = {}
    if not given.without_scalelab:
        binary = given.scalelab.resolve()
        if not binary.exists():
            raise Failure(f"{binary} does not exist: build it with `cargo build --release`, or use --without-scalelab")
        engines[OURS] = scalelab(binary)
    # The yardstick is always run: ratios and the reference of C need it.
    engines |= {name: rust(name) for name in RUST if name in given.engines or name == YARDSTICK}
    engines |= {name: python(name) for name in PYTHON if name in given.engines}
    print("building …", file=sys.stderr)
    output_of(["cargo", "build", "--release", "--locked"])
    if any(name in PYTHON for name in engines):
        prepare_python(given.python)
    if hasattr(os, "sched_setaffinity"):
        # The programs that are started inherit it.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if given.cpu is None else given.cpu})
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "rounds": given.rounds,
        "rustc": output_of(["rustc", "--version"]).strip(),
        "python": output_of([VENV / "bin/python", "--version"]).strip() if VENV.exists() else None,
    }
    about["load_before"] = load()
    runs = measure(engines, given.workloads, given.rounds, given.seconds)
    about["load_after"] = load()
    rows = summarize(runs, given.workloads)
    results = {"about": about, "rows": rows, "runs": runs}
    (FOLDER / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(rows, given.workloads, about))
    found = verdicts(rows)
    for line in found:
        print(f"NOT AS IT MUST BE: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"run.py: {failure}")
