#!/usr/bin/env python3
"""Measures how long a folder of pictures takes to load: the first time, when every file is decoded, and the second time,
from the cache. Needs the programs built and nothing but Python's standard library.

    python3 benches/data.py [--pictures 20000] [--side 64] [--rounds 3] [--sparring target/debug/sparring]

The pictures are smooth colour with noise on it, which compresses about as photographs do. Both times are those of
`sparring data info --json`, from its start to its end: the worker's start is in them. The files were just written, so they
come from memory and not from the disk. On a machine that does other things, the seconds of the processors say more.
"""

import argparse
import json
import os
import random
import resource
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(side, rng):
    slopes = [(rng.uniform(-2, 2), rng.uniform(-2, 2), rng.uniform(64, 192)) for _ in range(3)]
    noise = rng.randbytes(side * side * 3)
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            for channel, (across, down, base) in enumerate(slopes):
                grain = noise[(y * side + x) * 3 + channel] % 8
                rows.append(max(0, min(255, int(base + across * x + down * y + grain))))
    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def write(folder, count, side):
    """Writes the pictures; of every hundred one is made, and the others differ from it in one byte of their text."""
    rng = random.Random(1)
    for index in range(count):
        if index % 100 == 0:
            whole = png(side, rng)
        text = chunk(b"tEXt", b"Comment\0%08d" % index)
        Path(folder, f"{index:06}.png").write_bytes(whole[:-12] + text + whole[-12:])


def processor_seconds():
    """Of all children so far, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command, cache):
    """Seconds on the clock, seconds of the processors, and what the program said."""
    start, before = time.monotonic(), processor_seconds()
    told = subprocess.run(command, env={**os.environ, "XDG_CACHE_HOME": cache}, check=True, stdout=subprocess.PIPE)
    return time.monotonic() - start, processor_seconds() - before, json.loads(told.stdout)


def main():
    parser = argparse.ArgumentParser(description="Time to load a folder of pictures, first and second start")
    parser.add_argument("--pictures", type=int, default=20000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sparring", default="target/debug/sparring")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(folder, given.pictures, given.side)
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as cache:
                command = [given.sparring, "data", "info", "--json", folder]
                first, first_cpu, told = timed(command, cache)
                second, second_cpu, again = timed(command, cache)
                assert (told["cached"], again["cached"]) == (False, True)
                assert told["images"] == given.pictures and told["fingerprint"] == again["fingerprint"]
                result = {
                    "pictures": given.pictures,
                    "side": given.side,
                    "cores": len(os.sched_getaffinity(0)),
                    "load": os.getloadavg()[0],
                    "first_s": round(first, 2),
                    "second_s": round(second, 2),
                    "first_cpu_s": round(first_cpu, 2),
                    "second_cpu_s": round(second_cpu, 2),
                }
                print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
