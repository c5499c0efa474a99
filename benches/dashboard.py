#!/usr/bin/env python3
"""What a dashboard costs and how quick it is, through a real PTY: `make bench-dashboard`.

Trains the tutorial preset and attaches the real face in a pseudo-terminal of 120x34, as behind ssh. Prints a table of what issue and
README promise: key to changed screen, first frame, bytes a second, what an attached dashboard takes from training
(alternating with nobody attached), and the face's share of a core and its memory. Python's standard library alone.
"""
import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPARRING = str(ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "sparring")
RUN = "bench"
FRAME_END = b"\x1b[?2026l"
# The question whether all has arrived, and the answer.
HAS_ARRIVED, ARRIVED = b"\x1b[5n", b"\x1b[0n"
# The last of the questions to a terminal, and what one of today answers to all of them.
LAST_QUESTION = b"\x1b[c"
ANSWERS = b"\x1b[1;1R\x1b[1;2R\x1b[1;2R\x1bP1$r0;48:2:1:2:3m\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c"
TICKS = os.sysconf("SC_CLK_TCK")

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--rounds", type=int, default=5, help="alternations of attached and not")
arguments.add_argument("--seconds", type=float, default=8, help="seconds of each")
arguments.add_argument("--threads", default="0", help="threads of the training")
arguments = arguments.parse_args()


class Face:
    """A `sparring attach` in a pseudo-terminal."""

    def __init__(self, environment, columns=120, rows=34, answers=ANSWERS):
        self.began = time.monotonic()
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.execve(SPARRING, [SPARRING, "attach", RUN], environment)
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.bytes = 0
        self.answers = answers

    def read(self, seconds):
        """What it writes within so many seconds, or up to the first write."""
        ready, _, _ = select.select([self.tty], [], [], max(seconds, 0))
        if not ready:
            return b""
        data = os.read(self.tty, 1 << 20)
        self.bytes += len(data)
        if LAST_QUESTION in data:
            self.keys(self.answers)
        if HAS_ARRIVED in data:
            self.keys(ARRIVED)
        return data

    def until(self, words, seconds=30):
        """Seconds until it has written these words, and the frame that they are part of is whole."""
        began, seen = time.monotonic(), b""
        while time.monotonic() - began < seconds:
            seen += self.read(0.5)
            at = seen.find(words)
            if at >= 0 and seen.find(FRAME_END, at) >= 0:
                return time.monotonic() - began
        sys.exit(f"error: {words!r} was not drawn within {seconds} s; drawn was {seen[-2000:]!r}")

    def drain(self, seconds):
        """Reads for so long; returns bytes a second."""
        began, before = time.monotonic(), self.bytes
        while (left := seconds - (time.monotonic() - began)) > 0:
            self.read(left)
        return (self.bytes - before) / (time.monotonic() - began)

    def keys(self, text):
        os.write(self.tty, text)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_megabytes(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return float("nan")

    def leave(self):
        self.keys(b"d")
        while True:
            try:
                if not os.read(self.tty, 1 << 16):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)
        os.close(self.tty)


def latest_report(log):
    """Images seen, and when, by the latest report."""
    for line in reversed(log.read_bytes().splitlines()):
        event = json.loads(line)
        if event["event"] == "stats":
            return event["images_seen"], event["time"]
    sys.exit("error: the run has reported nothing")


def rate(log, during):
    """Images a second of wall time, from report to report, while something else is done."""
    images_before, time_before = latest_report(log)
    during()
    images, now = latest_report(log)
    return (images - images_before) / (now - time_before)


def main(home):
    environment = os.environ | {"SPARRING_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8",
                                "SSH_CONNECTION": "as if behind ssh"}
    environment.pop("NO_COLOR", None)
    worker = subprocess.Popen(
        [SPARRING, "train", "--name", RUN, "--preset", "tutorial", "--headless", "--threads", arguments.threads,
         "--set", "output.checkpoint_every_epochs=0", "--set", "output.sample_every_epochs=0"],
        env=environment, stderr=subprocess.DEVNULL)
    log = Path(home) / "runs" / RUN / "events.jsonl"
    while not log.exists() or b'"stats"' not in log.read_bytes():
        time.sleep(0.1)
    try:
        figures = measure(environment, log)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    figures.append(("draw of a frame at 200x60, median (p95)", "≤ 2 ms", drawing()))
    for what, target, figure in figures:
        print(f"| {what} | {target} | {figure} |")


def drawing():
    """Time to draw one frame, timed inside the face's library."""
    bench = ["cargo", "bench", "--quiet", "--profile", "dev", "--bench", "draw"]
    return subprocess.run(bench, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def measure(environment, log):
    first, silent = [], []
    for times, answers in [(first, ANSWERS), (silent, b"")] * 7:
        face = Face(environment, answers=answers)
        face.until(RUN.encode())
        times.append((time.monotonic() - face.began) * 1000)
        face.leave()

    face = Face(environment)
    face.until(RUN.encode())
    face.drain(2)
    latency = []
    for _ in range(40):
        sent = time.monotonic()
        face.keys(b"?")
        face.until(b"help")
        latency.append((time.monotonic() - sent) * 1000)
        # Not Esc, which begins other keys: one that comes soon after it would be taken for part of it.
        face.keys(b"?")
        face.drain(0.23)
    face.drain(12)
    training_bytes = face.drain(20)
    cpu_before, began = face.cpu_seconds(), time.monotonic()
    face.drain(15)
    cpu = (face.cpu_seconds() - cpu_before) / (time.monotonic() - began)
    memory = face.peak_megabytes()
    face.keys(b" ")
    # The last pictures are shown when the budget has room for them.
    face.drain(12)
    paused_bytes = face.drain(10)
    face.keys(b" ")
    face.drain(1)
    face.leave()

    attached, alone = [], []
    for _ in range(arguments.rounds):
        face = Face(environment)
        face.until(RUN.encode())
        attached.append(rate(log, lambda: face.drain(arguments.seconds)))
        face.leave()
        alone.append(rate(log, lambda: time.sleep(arguments.seconds)))
    cost = 1 - statistics.median(a / b for a, b in zip(attached, alone))

    latency.sort()
    return [
        ("key to changed screen, p95 (p50)", "≤ 30 ms",
         f"{latency[int(len(latency) * 0.95)]:.1f} ms ({statistics.median(latency):.1f})"),
        ("first frame of attach, median (worst of 7)", "≤ 100 ms", f"{statistics.median(first):.0f} ms ({max(first):.0f})"),
        ("the same, in a terminal that answers no question", "≤ 250 ms", f"{statistics.median(silent):.0f} ms ({max(silent):.0f})"),
        ("output at 120x34, training", "≤ 8 KB/s", f"{training_bytes / 1000:.2f} KB/s"),
        ("output at 120x34, paused", "≤ 300 B/s", f"{paused_bytes:.0f} B/s"),
        ("cost to training, all cores training", "≤ 3%",
         f"{cost * 100:.1f}% ({statistics.median(attached):.0f} against {statistics.median(alone):.0f} images/s)"),
        ("the face, share of a core", "≤ 2%", f"{cpu * 100:.1f}%"),
        ("the face, memory at its peak", "≤ 25 MB", f"{memory:.1f} MB"),
    ]


print("| what | target | measured |\n|---|---|---|")
with tempfile.TemporaryDirectory() as temporary:
    main(temporary)
