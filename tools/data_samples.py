#!/usr/bin/env python3
"""Fetches small real data sets by the names of their packages, for trying sparring on more than MNIST.

    python3 tools/data_samples.py [--into data-samples] [--skin-tones] [NAME ...]

| name    | from                                  | becomes                                                       |
|---------|---------------------------------------|---------------------------------------------------------------|
| fashion | Debian package dataset-fashion-mnist  | fashion/: four IDX files, 60,000 and 10,000 of 28x28, grey    |
| emoji   | npm package emoji-datasource-twitter  | emoji/: 1,906 PNGs of 64x64 with alpha (3,786 with skin       |
|         |                                       | tones); emoji-labels.csv, their categories; emoji-sheet.png   |
| faces   | scikit-image's wheel                  | faces.npy: 100 faces of 25x25, grey                           |
| digits  | scikit-learn's wheel                  | digits/: two IDX files, 1,797 of 8x8, grey                    |

Each package manager checks what it downloads. Licences are printed and saved beside the data; nothing of it belongs into
this repository. Needs apt-get and dpkg-deb (fashion), npm (emoji), pip (faces, digits); what a machine lacks is named and
passed over, and ends the program with 1.
"""

import argparse
import csv
import gzip
import io
import json
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


class Missing(Exception):
    """What cannot be fetched, and why."""


def run(*command, inside):
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=inside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["no output"]
        raise Missing(f"{' '.join(command)} failed: {lines[-1]}")


def only(folder, pattern):
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise Missing(f"{len(found)} files {pattern} were downloaded, not one")
    return found[0]


def wheel(package, inside):
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", package, inside=inside)
    return zipfile.ZipFile(only(inside, "*.whl"))


def part(text, beginning, lines):
    """The lines from the one that begins like this on."""
    kept = text.splitlines()
    first = next((at for at, line in enumerate(kept) if line.startswith(beginning)), 0)
    return "\n".join(kept[first : first + lines])


def fashion(into, work, _):
    run("apt-get", "download", "dataset-fashion-mnist", inside=work)
    run("dpkg-deb", "-x", str(only(work, "*.deb")), "unpacked", inside=work)
    unpacked = work / "unpacked/usr/share"
    target = into / "fashion"
    target.mkdir()
    for file in sorted((unpacked / "datasets/fashion-mnist").glob("*.gz")):
        shutil.copy(file, target)
    licence = (unpacked / "doc/dataset-fashion-mnist/copyright").read_text()
    return f"Fashion-MNIST, MIT licence.\n\n{licence}"


def emoji(into, work, skin_tones):
    run("npm", "pack", "--silent", "emoji-datasource-twitter", inside=work)
    target = into / "emoji"
    target.mkdir()
    tones = tuple(f"1f3f{tone}" for tone in "bcdef")
    with tarfile.open(only(work, "*.tgz")) as package:

        def text(name):
            return package.extractfile(f"package/{name}").read().decode()

        for member in package:
            path = Path(member.name)
            if member.isfile() and path.parent == Path("package/img/twitter/64") and path.suffix == ".png":
                if skin_tones or not any(tone in path.name for tone in tones):
                    (target / path.name).write_bytes(package.extractfile(member).read())
        sheet = package.extractfile("package/img/twitter/sheets/64.png")
        (into / "emoji-sheet.png").write_bytes(sheet.read())
        categories = {}
        for one in json.loads(text("emoji.json")):
            for look in [one, *one.get("skin_variations", {}).values()]:
                categories[look["image"]] = one["category"]
        licence = part(text("README.md"), "## Image Sources", 16)
    with open(into / "emoji-labels.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "label"])
        rows.writerows([path.name, categories[path.name]] for path in sorted(target.iterdir()) if path.name in categories)
    return f"Emoji: the pictures are Twitter's (Twemoji), CC BY 4.0; name them so where you show them.\n\n{licence}"


def faces(into, work, _):
    with wheel("scikit-image", work) as package:
        array = package.read("skimage/data/lfw_subset.npy")
        licence = package.read(next(name for name in package.namelist() if name.endswith(".dist-info/LICENSE.txt")))
    # Its first half shows faces, its second half what is none. A header says how many pictures there are.
    length = 10 + struct.unpack("<H", array[8:10])[0]
    header, body = array[:length], array[length:]
    if b"(200, 25, 25)" not in header:
        raise Missing("lfw_subset.npy has another shape than (200, 25, 25)")
    header = header.replace(b"(200, 25, 25)", b"(100, 25, 25)")
    (into / "faces.npy").write_bytes(header + body[: len(body) // 2])
    return (
        "Faces: lfw_subset.npy of scikit-image, a selection from Labeled Faces in the Wild, news photographs that were "
        "gathered for research; their rights are their owners'. scikit-image's own licence:\n\n"
        + part(licence.decode(), "Files: *", 3)
    )


def digits(into, work, _):
    with wheel("scikit-learn", work) as package:
        rows = gzip.decompress(package.read("sklearn/datasets/data/digits.csv.gz")).decode()
        about = package.read("sklearn/datasets/descr/digits.rst").decode()
    rows = [[int(float(cell)) for cell in row] for row in csv.reader(io.StringIO(rows))]
    target = into / "digits"
    target.mkdir()
    # Pixels go from 0 to 16.
    pixels = bytes(round(pixel * 255 / 16) for *picture, _ in rows for pixel in picture)
    header = struct.pack(">4I", 0x803, len(rows), 8, 8)
    (target / "train-images-idx3-ubyte").write_bytes(header + pixels)
    labels = bytes(label for *_, label in rows)
    (target / "train-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(rows)) + labels)
    return (
        "Digits: «Optical Recognition of Handwritten Digits» (E. Alpaydin, C. Kaynak), UCI Machine Learning Repository, "
        f"CC BY 4.0, as scikit-learn carries its test set.\n\n{part(about, '.. _digits', 24)}"
    )


SETS = {"fashion": fashion, "emoji": emoji, "faces": faces, "digits": digits}


def fetch(name, into, skin_tones):
    """Fetches a set next to where it goes and moves it there whole."""
    with tempfile.TemporaryDirectory(dir=into, prefix=".fetching-") as folder:
        fetched, work = Path(folder, "fetched"), Path(folder, "work")
        fetched.mkdir()
        work.mkdir()
        licence = SETS[name](fetched, work, skin_tones)
        (fetched / f"{name}-LICENCE.txt").write_text(licence.rstrip() + "\n")
        for path in fetched.iterdir():
            target = into / path.name
            if target.is_dir():
                shutil.rmtree(target)
            path.replace(target)
    return licence


def main():
    about, _, _ = __doc__.partition("\n")
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(SETS)} (default: all)")
    parser.add_argument("--into", type=Path, default=Path("data-samples"), help="folder to fill (default: data-samples)")
    parser.add_argument("--skin-tones", action="store_true", help="all emoji, with those of other skin tones")
    given = parser.parse_args()
    for name in given.names:
        if name not in SETS:
            parser.error(f"no data set {name}: there is {', '.join(SETS)}")
    given.into.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in given.names or SETS:
        try:
            licence = fetch(name, given.into, given.skin_tones)
        except (Missing, OSError, KeyError, StopIteration, tarfile.TarError, zipfile.BadZipFile) as error:
            print(f"{name}: not fetched: {error}", file=sys.stderr)
            failed = True
            continue
        print(f"---- {name} ----\n{licence.rstrip()}\n")
    print(f"fetched into {given.into}; try `sparring data info {given.into}/emoji`")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
