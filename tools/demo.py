#!/usr/bin/env python3
"""Makes demo.gif: the real programs in a real terminal, filmed. `make demo`.

A kitty window on a virtual display is driven by its remote control: keys are sent to it, and what it shows is read
back to know when to go on. Needs xvfb, kitty, xdotool, ffmpeg and gifsicle (Debian: apt install xvfb kitty xdotool libgl1
libgl1-mesa-dri libegl1 ffmpeg gifsicle fonts-dejavu-core), and a minute. The run begins with noise in the film itself.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
DISPLAY = ":87"
COLUMNS, ROWS = 120, 34
FRAMES_PER_SECOND = 8
SPEED = 3  # of the film; much of its length is waiting for the remote control
LARGEST = 3_000_000

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", default=ROOT / "demo.gif", type=Path)
arguments = arguments.parse_args()

for tool in ["Xvfb", "kitty", "xdotool", "ffmpeg", "gifsicle"]:
    if not shutil.which(tool):
        sys.exit(f"error: no {tool}: apt install xvfb kitty xdotool libgl1 libgl1-mesa-dri libegl1 ffmpeg gifsicle")


class Terminal:
    """A terminal window that is typed into and read."""

    def __init__(self, folder, environment):
        self.socket = f"unix:{folder}/kitty"
        self.environment = environment
        options = {
            "allow_remote_control": "yes", "initial_window_width": f"{COLUMNS}c", "initial_window_height": f"{ROWS}c",
            "remember_window_size": "no", "font_family": "DejaVu Sans Mono", "font_size": "11", "cursor_blink_interval": "0",
            "hide_window_decorations": "yes", "window_padding_width": "0", "update_check_interval": "0",
            "background": "#101014", "placement_strategy": "top-left", "enable_audio_bell": "no",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        self.process = subprocess.Popen(
            ["kitty", "--config", "NONE", "--listen-on", self.socket, *flags, "bash", "--norc", "--noprofile"],
            env=environment, stderr=subprocess.DEVNULL)
        self.wait(lambda: self.text() is not None, "the window")

    def remote(self, *command, check=True, text=None):
        return subprocess.run(["kitty", "@", "--to", self.socket, *command], env=self.environment, check=check,
                              capture_output=True, text=True, input=text, timeout=20)

    def text(self):
        done = self.remote("get-text", check=False)
        return done.stdout if done.returncode == 0 else None

    def wait(self, ready, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                sys.exit(f"error: waited {seconds} s for {what}; the screen is:\n{self.text()}")
            time.sleep(0.1)

    def until(self, words):
        self.wait(lambda: words in (self.text() or ""), f"«{words}»")

    def until_step(self, step):
        def has_come():
            shown = re.search(r"step +([\d,]+)", self.text() or "")
            return shown and int(shown[1].replace(",", "")) >= step

        self.wait(has_come, f"step {step}")

    def keys(self, text):
        # As an argument, text would be read for escapes.
        self.remote("send-text", "--stdin", text=text)

    def command(self, line):
        """Types a line as a person would."""
        for part in re.findall(r".{1,5}", line):
            self.keys(part)
        time.sleep(0.3)
        self.keys("\r")


def film(folder):
    environment = os.environ | {
        "DISPLAY": DISPLAY, "SPARRING_HOME": str(folder), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "PS1": "$ ",
        "LIBGL_ALWAYS_SOFTWARE": "1", "HOME": str(folder), "LC_ALL": "C.UTF-8",
    }
    environment.pop("NO_COLOR", None)
    screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1600x1000x24"], stderr=subprocess.DEVNULL)
    time.sleep(1)
    terminal = Terminal(folder, environment)
    terminal.command("PS1='$ '; clear")
    window = subprocess.run(["xdotool", "search", "--onlyvisible", "--class", "kitty", "getwindowgeometry", "--shell"],
                            env=environment, capture_output=True, text=True).stdout
    geometry = dict(line.split("=") for line in window.splitlines() if "=" in line)
    size = f"{int(geometry['WIDTH']) // 2 * 2}x{int(geometry['HEIGHT']) // 2 * 2}"
    raw = folder / "film.mkv"
    camera = subprocess.Popen(
        ["ffmpeg", "-y", "-loglevel", "error", "-f", "x11grab", "-draw_mouse", "0", "-framerate", str(FRAMES_PER_SECOND), "-video_size", size,
         "-i", f"{DISPLAY}+{geometry['X']},{geometry['Y']}", "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", raw],
        stdin=subprocess.PIPE)
    try:
        play(terminal)
    finally:
        camera.communicate(b"q")
        terminal.remote("close-window", check=False)
        subprocess.run(["sparring", "stop", "otter"], env=environment, capture_output=True)
        terminal.process.terminate()
        screen.terminate()
    return raw


def play(terminal):
    """Train from noise, look closer, leave, come back, sample."""
    time.sleep(0.5)
    terminal.command("sparring train --name otter")
    terminal.until("img/s")
    terminal.until_step(600)
    terminal.keys("z")
    time.sleep(3)
    terminal.keys("z")
    time.sleep(1.5)
    terminal.keys("j")
    time.sleep(2)
    terminal.keys("s")
    time.sleep(3)
    terminal.keys("d")
    terminal.until("sparring attach otter")
    time.sleep(1.5)
    terminal.command("sparring runs")
    terminal.until("running")
    time.sleep(1.5)
    terminal.command("sparring attach otter")
    terminal.until("D(G(z))")
    time.sleep(4)
    terminal.keys("d")
    terminal.until("$ ")
    terminal.command("clear; sparring sample otter -n 16")
    terminal.until("seed")
    time.sleep(4)


def as_gif(raw, folder):
    palette, gif = folder / "palette.png", folder / "film.gif"
    ffmpeg = ["ffmpeg", "-y", "-loglevel", "error"]
    faster = f"setpts=PTS/{SPEED},fps={FRAMES_PER_SECOND}"
    subprocess.run([*ffmpeg, "-i", raw, "-vf", f"{faster},palettegen=max_colors=64:stats_mode=full", palette], check=True)
    subprocess.run([*ffmpeg, "-i", raw, "-i", palette,
                    "-lavfi", f"{faster}[film];[film][1:v]paletteuse=dither=none:diff_mode=rectangle", gif], check=True)
    subprocess.run(["gifsicle", "-O3", gif, "-o", arguments.out], check=True)
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {size / 1e6:.2f} MB")
    if size > LARGEST:
        sys.exit(f"error: larger than {LARGEST / 1e6:.0f} MB; film less or slower")


with tempfile.TemporaryDirectory() as temporary:
    as_gif(film(Path(temporary)), Path(temporary))
