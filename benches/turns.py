"""Runs self-measuring programs in alternation on one machine, and summarises their results."""
import contextlib
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Without these, glibc returns each freed gradient to the kernel and faults it in again. glibc silently ignores a larger
# mmap threshold than this.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": "8589934592"}
# Environment variables that would change what is measured.
NOT_INHERITED = {*MALLOC, "GLIBC_TUNABLES", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
                 "LD_PRELOAD"}
# Rivals run twice. Those whose best result is below this share of the best rival's do not run again.
FAR_BEHIND = 0.9
LONGEST = 300  # seconds per program


class Program:
    """A program that measures itself and prints one line of JSON."""

    def __init__(self, name, command, environment=None, rival=False):
        self.name, self.command, self.rival = name, [str(word) for word in command], rival
        self.environment = environment or {}

    def run(self):
        """Returns its results and None, or None and one line with the reason."""
        environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        environment.update(self.environment)
        try:
            done = subprocess.run(self.command, env=environment, timeout=LONGEST, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        except subprocess.TimeoutExpired:
            return None, f"timed out after {LONGEST} s"
        except OSError as error:
            return None, str(error)
        lines, complaints = done.stdout.splitlines(), done.stderr.strip().splitlines()
        if done.returncode or not lines:
            return None, f"exit code {done.returncode}: {complaints[-1] if complaints else 'no message'}"
        try:
            return json.loads(lines[-1]), None
        except ValueError:
            return None, f"not JSON: {lines[-1][:100]!r}"


@contextlib.contextmanager
def neighbour():
    """A process that keeps one core busy. It ends by itself if this process is killed."""
    burn = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass"
    process = subprocess.Popen([sys.executable, "-c", burn])
    try:
        yield
    finally:
        process.kill()
        process.wait()


ALONE = {"": contextlib.nullcontext}
WITH_AND_WITHOUT_COMPANY = {**ALONE, " in company": neighbour}


def alternate(programs, turns, failed, conditions=None):
    """Results of each program in each round, keyed by program and condition; None if it failed or did not run.

    A program that fails does not run again; the reason is appended to `failed`.
    """
    conditions = conditions or ALONE
    runs = {program.name + condition: [] for condition in conditions for program in programs}
    resting = set()
    for turn in range(turns):
        for condition, around in conditions.items():
            for program in programs:
                name, figures = program.name + condition, None
                if program.name not in resting:
                    say(f"  {turn + 1}/{turns} {name}")
                    with around():
                        figures, why = program.run()
                    if why:
                        resting.add(program.name)
                        failed.append(f"{name}: {why}")
                        say(f"error: {failed[-1]}")
                runs[name].append(figures)
        if turn == 1:
            resting |= far_behind([program.name for program in programs if program.rival], runs)
    return runs


def far_behind(rivals, runs):
    rates = {name: max(run["images_per_s"] for run in runs[name] if run) for name in rivals if any(runs[name])}
    return {name for name, rate in rates.items() if rate < FAR_BEHIND * max(rates.values())}


# ---- figures ---------------------------------------------------------------------------------------------------------


def median(runs, figure="images_per_s"):
    values = [run[figure] for run in runs if run]
    return statistics.median(values) if values else None


def paired(runs, others, figure="images_per_s"):
    """The median of the ratios within each round."""
    ratios = [run[figure] / other[figure] for run, other in zip(runs, others) if run and other]
    return statistics.median(ratios) if ratios else None


def best_of(names, runs):
    """The fastest of the programs that ran in every round."""
    return max((name for name in names if all(runs[name])), key=lambda name: median(runs[name]), default=None)


def summary(runs):
    return {"median": {figure: median(runs, figure) for figure in ("images_per_s", "ms_per_step", "peak_rss_mb")}, "runs": runs}


def shown(value, form=".0f"):
    return "–" if value is None else format(value, form)


def table(columns, rows):
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def say(what):
    print(what, file=sys.stderr, flush=True)


# ---- the machine -----------------------------------------------------------------------------------------------------


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu():
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine(python, threads):
    """Facts about the machine that results depend on."""
    versions = "import importlib.metadata as m; print(*(f'{p} {m.version(p)}' for p in ('torch', 'jax')), sep=', ')"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": output(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
        "cpu": cpu(),
        "cores": cores(),
        "threads": threads,
        "load_average": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": output([python, "-c", versions]),
    }


def output(command):
    """The output of a command; None if it cannot run or fails."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    return None
