#!/usr/bin/env python3
"""Measures a training step beside the same step in Python: `make bench`.

Everything runs on the CPU. Programs alternate, A B C A B C …, so that a machine that slows down affects all of them.
Figures are medians; a ratio is the median of the ratios within each round. Prints tables and writes all results as JSON.

    tutorial  the tutorial's networks, batch 64: ours, PyTorch as taught and tuned, JAX
    batches   the same at batches of 64, 256 and 1024
    widths    hidden layers of half and of double the width
    conv      DCGAN's shape, batch 128
    cdcgan    the same with classes
    colour    DCGAN's shape on 32x32 pixels in colour
    colour64  the same on 64x64 pixels
    residual  preset resnet, batch 64
    unet      preset pix2pix, enlarging four times, batch 32
    company   with a busy process on one core, against an idle machine
    memory    peak resident memory
    bound     only ours: a step against its matrix products plus one pass of Adam over memory
    long      after thousands of steps against the first steps: denormal numbers slow Adam once units have died
    growth    resident memory of a worker over 50,000 steps, with health checks and checkpoints

The Python programs are torch_gan.py and jax_gan.py. This script only needs Python's standard library.
"""
import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turns import (MALLOC, ROOT, WITH_AND_WITHOUT_COMPANY, Program, alternate, best_of, cores, machine, median,
                   output, paired, say, shown, summary, table)

BENCHES = ROOT / "benches"
HIDDEN = {"generator": [256, 512, 1024], "discriminator": [512, 256]}


class Bench:
    """Runs the sections, prints their tables and collects their results."""

    def __init__(self, options):
        self.options, self.failed, self.sections = options, [], {}
        self.threads = ["--threads", options.threads]

    # ---- programs ----------------------------------------------------------------------------------------------------

    def ours(self, *words, steps, sets=(), name="ours"):
        timed = ["--warmup", 30, "--steps", steps]
        return Program(name, [self.options.ours, "measure", *self.settings(*sets), *timed, *words])

    def settings(self, *sets):
        """Options that both of our commands take."""
        return [*self.threads, *(word for setting in ("device=cpu", *sets) for word in ("--set", setting))]

    def torch(self, mode, *words, steps, malloc=True, rival=False, name=None):
        name = name or f"PyTorch {mode}" + (" malloc" if malloc else "")
        command = [self.options.python, BENCHES / "torch_gan.py", mode, *self.threads, "--steps", steps, *words]
        return Program(name, command, MALLOC if malloc else None, rival)

    def jax(self, *words, steps):
        command = [self.options.python, BENCHES / "jax_gan.py", *self.threads, "--steps", steps, *words]
        return Program("JAX", command)

    def steps(self, batch):
        """Steps per run: every batch size sees about the same number of pictures."""
        return (9600 if self.options.quick else 19200) // batch

    def runs(self, programs, turns=None, conditions=None):
        return alternate(programs, turns or self.options.rounds, self.failed, conditions)

    # ---- sections ----------------------------------------------------------------------------------------------------

    def tutorial(self):
        steps = self.steps(64)
        programs = [self.ours(steps=steps)]
        programs += [self.torch(mode, steps=steps, malloc=malloc) for mode in ("eager", "fused", "lean", "compiled")
                     for malloc in (False, True)]
        programs += [self.jax(steps=steps), self.torch("tutorial", steps=steps, malloc=False, name="as written")]
        runs = self.runs(programs)
        self.speeds("tutorial", "the tutorial's networks, batch 64", runs)
        self.against(runs, "JAX", "as written")

    def batches(self):
        # The tutorial section measures batch 64 already.
        for batch in (256, 1024) if "tutorial" in self.sections else (64, 256, 1024):
            self.size(f"batch {batch}", batch, 1, self.steps(batch), self.options.rounds)

    def widths(self):
        for width in (0.5, 2):
            steps = round(self.steps(64) / width)
            self.size(f"hidden layers {width:g} times as wide", 64, width, steps, min(self.options.rounds, 3))

    def size(self, title, batch, width, steps, turns):
        words, sets = ["--batch", batch, "--width", width], [f"batch_size={batch}"]
        for network, sizes in HIDDEN.items():
            sets.append(f"{network}.hidden={[round(size * width) for size in sizes]}")
        programs = [self.ours(sets=sets, steps=steps)]
        programs += [self.torch(mode, *words, steps=steps, malloc=malloc, rival=True)
                     for mode, malloc in (("lean", False), ("lean", True), ("compiled", True))]
        runs = self.runs([*programs, self.jax(*words, steps=steps)], turns)
        self.speeds(title, title, runs)
        self.against(runs, "JAX")

    def conv(self):
        self.convolutions("conv", "convolutions in DCGAN's shape, batch 128", "dcgan", [], self.steps(128))

    def cdcgan(self):
        self.convolutions("cdcgan", "the same with classes", "cdcgan", [], self.steps(128))

    def residual(self):
        self.convolutions("residual", "preset resnet, batch 64", "resnet", [], self.steps(64) // 2, batch=64)

    def unet(self):
        self.convolutions("unet", "preset pix2pix, enlarging four times, batch 32", "pix2pix", ["task=enlarge"],
                          self.steps(32) // 6, batch=32)

    def colour(self):
        self.in_colour("colour", 32, "DCGAN's shape on 32x32 pixels in colour, batch 128", self.steps(128) // 2)

    def colour64(self):
        self.in_colour("colour64", 64, "DCGAN's shape on 64x64 pixels in colour, batch 128", self.steps(128) // 6)

    def in_colour(self, model, side, title, steps):
        with tempfile.TemporaryDirectory() as folder:
            # Random pictures, as torch_gan.py has them.
            pictures = Path(folder) / "pictures.npy"
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': (5000, {side}, {side}, 3), }}".encode()
            header = header.ljust(117) + b"\n"
            pictures.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
                                 + os.urandom(5000 * side * side * 3))
            self.convolutions(model, title, "dcgan", [f"data={pictures}"], steps)

    def convolutions(self, model, title, preset, sets, steps, batch=128):
        programs = [self.ours("--preset", preset, sets=[f"batch_size={batch}", *sets], steps=steps)]
        ways = [("lean", False), ("lean", True), ("compiled", True)]
        if model == "residual":
            # torch.compile of PyTorch 2.13 fails at the gradient of its padding.
            ways.pop()
        for mode, malloc in ways:
            words = ["--model", model, "--batch", batch]
            name = f"PyTorch {mode}" + (" malloc" if malloc else "")
            programs.append(self.torch(mode, *words, steps=steps, malloc=malloc, rival=True))
            programs.append(self.torch(mode, *words, "--channels-last", steps=steps, malloc=malloc, rival=True,
                                       name=f"{name} channels_last"))
        runs = self.runs(programs)
        self.speeds(model, title, runs)
        self.against(runs)

    def company(self):
        steps = self.steps(64) // 2
        programs = [
            self.ours(steps=steps),
            self.torch("fused", "--seconds", 4, steps=steps),
            self.jax(steps=steps),
        ]
        runs = self.runs(programs, conditions=WITH_AND_WITHOUT_COMPANY)
        rows, ratios = [], {}
        for name in (program.name for program in programs):
            alone, busy = runs[name], runs[f"{name} in company"]
            ratios[f"{name}, in company / alone"] = ratio = paired(busy, alone)
            rows.append([name, shown(median(alone)), shown(median(busy)), shown(ratio, ".2f")])
        self.tell("company", "a neighbour takes one core", ["program", "alone", "in company", "ratio"], rows, runs)
        self.sections["company"]["ratios"] = ratios

    def memory(self):
        programs = [self.ours(steps=60), self.torch("fused", steps=60, malloc=False), self.torch("fused", steps=60)]
        runs = self.runs(programs, min(self.options.rounds, 3))
        rows = [[name, shown(median(found, "peak_rss_mb"))] for name, found in runs.items()]
        self.tell("memory", "peak of resident memory, batch 64", ["program", "MB"], rows, runs)
        self.ratio("memory", "ours / PyTorch fused", paired(runs["ours"], runs["PyTorch fused"], "peak_rss_mb"))

    def bound(self):
        programs = []
        for batch in (64, 256, 1024):
            timed = ["--warmup", 10, "--steps", self.steps(batch)]
            programs.append(Program(f"batch {batch}", [self.options.ours, "bound", *self.settings(f"batch_size={batch}"), *timed]))
        runs = self.runs(programs, min(self.options.rounds, 3))
        rows = []
        for name, found in runs.items():
            times = [shown(median(found, part), ".2f") for part in ("step_ms", "products_ms", "adam_ms", "bound_ms")]
            rows.append([name, *times, shown(median(found, "share"), ".0%"), shown(median(found, "products_gflop_per_s"))])
        columns = ["ours", "step, ms", "products, ms", "Adam, ms", "bound, ms", "bound / step", "products, GFLOP/s"]
        self.tell("bound", "a step against its bound", columns, rows, runs)
        parts = {}
        for part in (part for figures in runs["batch 64"] if figures for part in figures["parts"]):
            parts.setdefault(part["name"], []).append(part)
        table(["part, batch 64", "ms"], [[name, shown(median(found, "ms"), ".3f")] for name, found in parts.items()])

    def long(self):
        window, late = (150, 1000) if self.options.quick else (400, 4000)
        programs = []
        for skip, when in ((0, "early"), (late, "late")):
            programs.append(self.ours("--skip", skip, steps=window, name=f"ours, {when}"))
            programs.append(self.torch("fused", "--skip", skip, steps=window, name=f"PyTorch fused malloc, {when}"))
        runs = self.runs(programs, min(self.options.rounds, 3))
        self.speeds("long", f"{window} steps, the first and those after {late}", runs)
        for name in ("ours", "PyTorch fused malloc"):
            self.ratio("long", f"{name}, late / early", paired(runs[f"{name}, late"], runs[f"{name}, early"]))

    def growth(self):
        last = 5000 if self.options.quick else 50_000
        with tempfile.TemporaryDirectory() as home:
            command = [self.options.sparring, "train", "--json", "--preset", "tutorial", "--name", "growth", "--steps", last,
                       *self.threads, "--set", "device=cpu"]
            with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "SPARRING_HOME": home}) as train:
                seen = [(event["step"], resident_megabytes(train.pid)) for event in map(json.loads, train.stdout)
                        if event["event"] == "stats"]
        seen = [(step, size) for step, size in seen if size]
        if train.returncode or not seen:
            self.failed.append(f"growth: {self.options.sparring} ended with exit code {train.returncode}")
            return
        # The first tenth has all that is made once: looks, checkpoints, the state that is kept.
        marks = [next(mark for mark in seen if mark[0] >= last * tenth / 10) for tenth in (1, 5, 9)]
        self.sections["growth"] = {"title": "memory of a worker", "marks": seen, "ratios": {}}
        print(f"\n## Resident memory of a worker over {last} steps\n")
        table(["step", "MB"], [[str(step), f"{size:.1f}"] for step, size in marks])
        most = max(size for step, size in seen if step >= marks[0][0])
        self.ratio("growth", "most after the first tenth / at its end", most / marks[0][1])

    # ---- telling -----------------------------------------------------------------------------------------------------

    def speeds(self, key, title, runs):
        rows = []
        for name, found in runs.items():
            rates = [figures["images_per_s"] for figures in found if figures]
            spread = f"{min(rates):.0f}–{max(rates):.0f}" if rates else "–"
            rows.append([name, shown(median(found)), spread, str(len(rates)), shown(median(found, "ms_per_step"), ".2f"),
                         shown(median(found, "peak_rss_mb"))])
        self.tell(key, title, ["program", "images/s", "lowest–highest", "runs", "ms a step", "peak MB"], rows, runs)

    def against(self, runs, *others):
        """Ratios of ours in the section told last."""
        key = list(self.sections)[-1]
        best = best_of([name for name in runs if name.startswith("PyTorch")], runs)
        if best:
            self.ratio(key, f"ours / best of PyTorch ({best[len('PyTorch '):]})", paired(runs["ours"], runs[best]))
        for name in others:
            self.ratio(key, f"ours / {name}", paired(runs["ours"], runs[name]))

    def tell(self, key, title, columns, rows, runs):
        programs = {name: summary(found) for name, found in runs.items()} if key != "bound" else runs
        self.sections[key] = {"title": title, "programs": programs, "ratios": {}}
        print(f"\n## {title[0].upper() + title[1:]}\n")
        table(columns, rows)

    def ratio(self, key, name, value):
        self.sections[key]["ratios"][name] = value
        print(f"- {name}: {shown(value, '.2f')}", flush=True)


SECTIONS = ["tutorial", "batches", "widths", "conv", "cdcgan", "colour", "colour64", "residual", "unet", "company", "memory",
            "bound", "long", "growth"]


def resident_megabytes(process):
    """Of a process, in MB of 10^6 bytes; None where the kernel does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1.024e-3
    return None


def built():
    """Builds the engine's bench; the path of its program."""
    say("building engine/benches/step.rs")
    command = ["cargo", "bench", "--no-run", "--profile", "dev", "-p", "sparring-engine", "--bench", "step",
               "--message-format", "json-render-diagnostics"]
    try:
        done = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, text=True)
    except OSError as error:
        sys.exit(f"error: cannot run cargo: {error}: install Rust, or name a program with --ours")
    for message in map(json.loads, done.stdout.splitlines() if done.returncode == 0 else []):
        if message["reason"] == "compiler-artifact" and message["target"]["kind"] == ["bench"]:
            return message["executable"]
    sys.exit("error: cargo did not build the bench `step` of sparring-engine: its reason is above")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; may be given again for another")
    parser.add_argument("--rounds", type=int, help="turns of each program (default: 5, quick 3; at most 3 where few will do)")
    parser.add_argument("--quick", action="store_true", help="fewer turns of fewer steps")
    parser.add_argument("--threads", type=int, default=cores(), help="of each program (default: the cores it may use)")
    parser.add_argument("--python", default=str(ROOT / ".venv-python/bin/python"),
                        help="interpreter with PyTorch, torchvision and JAX (default: that of `make bench`)")
    parser.add_argument("--ours", help="this program, instead of building engine/benches/step.rs")
    parser.add_argument("--sparring", default=Path(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "debug/sparring"),
                        help="the program whose memory `growth` watches (default: what `make build` built)")
    parser.add_argument("--json", type=Path, default=Path(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "bench.json"),
                        help="file for all figures (default: target/bench.json)")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.only = [section for section in SECTIONS if section in (options.only or SECTIONS)]
    return options


def main():
    options = parse()
    if options.only != ["bound"] and output([options.python, "-c", "import torch"]) is None:
        sys.exit(f"error: {options.python} has no PyTorch: run `make bench`, which sees to it, or name another with --python")
    about = machine(options.python, options.threads)
    options.ours = options.ours or built()
    print(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in about.items()), flush=True)
    if about["load_average"] > 0.25 * about["cores"]:
        say(f"warning: this machine is not quiet, its load average is {about['load_average']}: trust ratios, not figures")
    bench, began = Bench(options), time.monotonic()
    for section in options.only:
        say(section)
        getattr(bench, section)()
    about["minutes"] = round((time.monotonic() - began) / 60, 1)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    everything = {"machine": about, "sections": bench.sections, "failed": bench.failed}
    options.json.write_text(json.dumps(everything, indent=1) + "\n")
    say(f"{about['minutes']} minutes; all figures are in {options.json}")
    if bench.failed:
        sys.exit(f"error: {len(bench.failed)} programs failed: " + "; ".join(bench.failed))


main()
