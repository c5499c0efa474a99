#!/usr/bin/env python3
"""Measures the seconds of training until digits are good, per preset and for the tutorial in Python: `make bench-quality`.

Programs train one after the other, once per seed. At fixed marks of training time ours saves a checkpoint, and the
tutorial in PyTorch (torch_gan.py) an IDX file of samples. `sparring eval` judges all of them alike: 10,000 pictures from
fresh noise against the test digits. Only steps count as training time, not checkpoints or health checks.

Not every mark is judged: distances fall during training, so bisection between marks finds the first one within a bound.
The tables say «> 120» if the last mark is not within it.

Prints tables and writes all results as JSON. Only the tutorial needs PyTorch; this script needs the standard library.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turns import MALLOC, NOT_INHERITED, ROOT, cores, machine, say, shown, table

PRESETS = ["r3", "cgan", "mlp", "dcgan", "cdcgan", "tutorial"]
PYTHON = "tutorial in PyTorch"
MARKS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480]
BOUNDS = [60, 20, 10, 5, 3]


class Run:
    """What one program saved at each mark, and the judge's reports on it."""

    def __init__(self, name, seed, drawn, judge):
        self.name, self.seed, self.drawn, self.judge, self.reports = name, seed, drawn, judge, {}

    def report(self, mark):
        """The judge's figures at the mark with this index."""
        if mark not in self.reports:
            seconds, subject = self.drawn[mark]
            self.reports[mark] = {"seconds": seconds, **figures(self.judge(subject))}
        return self.reports[mark]

    def seconds_to(self, bound):
        """Seconds until the distance is within this multiple of the floor; None if it never is."""
        within = lambda mark: self.report(mark)["times_floor"] <= bound
        first, last = 0, len(self.drawn) - 1
        if not within(last):
            return None
        while first < last:
            middle = (first + last) // 2
            first, last = (first, middle) if within(middle) else (middle + 1, last)
        return self.report(last)["seconds"]


def figures(report):
    found, floor, second = report["found"], report["floor"], report["second"]
    kept = ["recall", "coverage", "class_variation", "nearest", "confidence", "label_agreement", "accuracy_score"]
    return {
        "times_floor": found["frechet"] / floor["frechet"],
        "times_floor_second": second["found"] / second["floor"],
        "times_floor_fine": found["fine"] / floor["fine"],
        **{name: found[name] for name in kept if found.get(name) is not None},
    }


# ---- programs --------------------------------------------------------------------------------------------------------


class Unfinished(Exception):
    """A program that ended before its last mark."""


class Bench:
    def __init__(self, options, home):
        self.options, self.home = options, Path(home)
        kept = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        self.environment = {**kept, "SPARRING_HOME": str(self.home)}

    def ours(self, preset, seed, seconds):
        """Trains a preset; `preset` may be followed by other settings, such as `r3 loss=hinge`."""
        marks = [mark for mark in MARKS if mark <= seconds]
        name = f"run{len(list(self.home.glob('runs/*')))}"
        chosen, *settings = preset.split()
        command = [self.options.ours, "train", "--json", "--preset", chosen, "--name", name, "--seed", seed,
                   "--threads", self.options.threads, "--epochs", 1_000_000, "--set", "output.keep_checkpoints=1000",
                   "--set", "output.checkpoint_every_epochs=0"]
        for setting in settings:
            command += ["--set", setting]
        with subprocess.Popen([str(word) for word in command], env=self.environment, stdout=subprocess.PIPE, text=True) as train:
            try:
                drawn, images = self.attend(map(json.loads, train.stdout), name, marks)
            except subprocess.CalledProcessError:
                train.kill()
                raise
        if train.returncode:
            raise Unfinished(f"training ended with exit code {train.returncode}")
        # The final checkpoint can be the last mark's.
        drawn = [(self.seconds_of(path), path) for _, path in sorted(set(drawn))]
        say(f"    {images:.0f} images/s")
        return Run(preset, seed, drawn, self.judged)

    def attend(self, events, name, marks):
        """Saves a checkpoint at each mark and stops the run at the last. Returns the checkpoints and images per second."""
        drawn, ahead, images = [], marks.copy(), 0
        for event in events:
            if event["event"] == "stats":
                images = event["images_seen"] / event["training_seconds"]
                if ahead and event["training_seconds"] >= ahead[0]:
                    while ahead and event["training_seconds"] >= ahead[0]:
                        ahead.pop(0)
                    self.sparring("checkpoint", name)
                    if not ahead:
                        self.sparring("stop", name)
            elif event["event"] == "checkpoint" and not event.get("best"):
                drawn.append((event["step"], event["path"]))
            elif event["event"] == "alarm":
                say(f"    alarm: {event['message']}")
        if ahead:
            raise Unfinished(f"training ended before {ahead[0]} s")
        return drawn, images

    @staticmethod
    def seconds_of(checkpoint):
        with open(checkpoint, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            return round(float(json.loads(file.read(size))["__metadata__"]["training_seconds"]), 1)

    def python(self, seed, seconds):
        marks = [mark for mark in MARKS if mark <= seconds]
        folder = self.home / f"python{seed}"
        command = [self.options.python, ROOT / "benches/torch_gan.py", "tutorial", "--seed", seed, "--threads",
                   self.options.threads, "--dump", folder, "--at", ",".join(map(str, marks))]
        done = subprocess.run([str(word) for word in command], env={**self.environment, **MALLOC}, check=True,
                              stdout=subprocess.PIPE, text=True)
        drawn = [(round(each["seconds"], 1), each["file"]) for each in json.loads(done.stdout)["dumps"]]
        return Run(PYTHON, seed, drawn, lambda path: self.judged("--samples", path))

    def judged(self, *subject):
        """The report of `eval` on a checkpoint, or on samples in a file."""
        return json.loads(self.sparring("eval", "--json", *([] if "--samples" in subject else ["--seed", "1"]), *subject))

    def sparring(self, *words):
        return subprocess.run([self.options.ours, *words], env=self.environment, check=True, stdout=subprocess.PIPE,
                              text=True).stdout


# ---- tables ----------------------------------------------------------------------------------------------------------


def print_tables(runs, bounds):
    programs = list(dict.fromkeys(run.name for run in runs))
    of = lambda name: [run for run in runs if run.name == name]
    print("Seconds of training until the Fréchet distance is within a multiple of the floor, median over seeds.\n")
    table(["program", *(f"≤ {bound} ×" for bound in bounds)],
          [[name, *(median_time(of(name), bound) for bound in bounds)] for name in programs])
    print("At the last mark, median over seeds.\n")
    columns = [("× floor", "times_floor", ".1f"), ("second judge", "times_floor_second", ".1f"), ("fine", "times_floor_fine", ".1f"),
               ("recall", "recall", ".2f"), ("coverage", "coverage", ".2f"), ("variation", "class_variation", ".3f"),
               ("nearest", "nearest", ".2f"), ("label agreement", "label_agreement", ".3f"), ("accuracy score", "accuracy_score", ".3f")]
    table(["program", "seconds", *(name for name, *_ in columns)],
          [[name, shown(middle(of(name), "seconds")), *(shown(middle(of(name), key), form) for _, key, form in columns)]
           for name in programs])


def middle(runs, figure):
    """The median over runs; None for a figure that does not apply to these models."""
    found = [run.report(len(run.drawn) - 1).get(figure) for run in runs]
    return None if None in found else statistics.median(found)


def median_time(runs, bound):
    times = sorted(time if time is not None else float("inf") for time in (run.seconds_to(bound) for run in runs))
    time = times[len(times) // 2]
    return f"{time:.0f}" if time < float("inf") else f"> {middle(runs, 'seconds'):.0f}"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default=",".join([*PRESETS, PYTHON]), help="comma-separated; each may be followed by key=value (default: %(default)s)")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--seconds", type=int, default=120, help="of training per run (default: %(default)s)")
    parser.add_argument("--bounds", default=",".join(map(str, BOUNDS)), help="multiples of the floor, comma-separated (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch and torchvision")
    parser.add_argument("--ours", default=str(ROOT / "target/debug/sparring"))
    parser.add_argument("--json", type=Path, default=ROOT / "target/quality.json")
    return parser.parse_args()


def main():
    options = parse()
    about, began, runs, failed = machine(options.python, options.threads), time.monotonic(), [], []
    print(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in about.items()), flush=True)
    bounds = [float(bound) if "." in bound else int(bound) for bound in options.bounds.split(",")]
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(options, home)
        for preset in options.presets.split(","):
            for seed in map(int, options.seeds.split(",")):
                say(f"{preset}, seed {seed}")
                try:
                    run = bench.python(seed, options.seconds) if preset == PYTHON else bench.ours(preset, seed, options.seconds)
                except (Unfinished, subprocess.CalledProcessError) as error:
                    failed.append(f"{preset}, seed {seed}: {error}")
                    say(f"error: {failed[-1]}")
                    continue
                last = run.report(len(run.drawn) - 1)
                say(f"    {last['times_floor']:.1f} × floor ({last['times_floor_second']:.1f}) after {last['seconds']:.0f} s, "
                    f"fine {last['times_floor_fine']:.1f}, coverage {last['coverage']:.2f}, recall {last['recall']:.2f}, "
                    f"variation {last['class_variation']:.3f}; seconds to "
                    + ", ".join(f"{bound} ×: {shown(run.seconds_to(bound))}" for bound in bounds))
                runs.append(run)
                about["minutes"] = round((time.monotonic() - began) / 60, 1)
                write(options.json, about, runs, failed)
        print_tables(runs, bounds)
    say(f"{about.get('minutes', 0)} minutes; all figures are in {options.json}")
    if failed:
        sys.exit(f"error: {len(failed)} programs failed: " + "; ".join(failed))


def write(path, about, runs, failed):
    """Writes all results, after every run, so that an interrupted bench keeps what it has."""
    told = [{"program": run.name, "seed": run.seed, "marks": [run.reports[mark] for mark in sorted(run.reports)]} for run in runs]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": about, "runs": told, "failed": failed}, indent=1) + "\n")


main()
