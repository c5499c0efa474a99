#!/usr/bin/env python3
"""Packs both programs, as they were built, for other machines.

    package.py wheel    a wheel that uses the libtorch of the PyTorch it is installed beside
    package.py dist     a tarball with libtorch for CPUs, for a Linux with nothing but glibc

    --programs DIR   where the programs are [target/debug]
    --man DIR        where the manual pages are [target/man]
    --out DIR        where to write [target/packages]
    --libtorch DIR   dist: take the libraries of this libtorch [the one that the worker was built with]
    --level N        dist: how hard xz tries, 0 to 9 [2]
    --tree           dist: write a folder instead of the tarball, with links to the libraries

From the same programs the same bytes are made, at any time: entries are sorted, and dated 1980 or by
SOURCE_DATE_EPOCH.
"""

import argparse
import base64
import hashlib
import io
import json
import lzma
import mmap
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Union

import libtorch
import notices
from elf import Elf, NotElf
from libtorch import ROOT, Problem

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
FACE, WORKER = "sparring", "sparring-worker"
LICENCES = ["LICENSE-MIT", "LICENSE-APACHE", "NOTICE"]
OLDEST_DATE = 315532800  # 1980, the first year that a zip file knows

# Where the worker finds libtorch, from its own folder: in site-packages, and in the tarball.
PATH_IN_WHEEL = "$ORIGIN/../../torch/lib"
PATH_IN_TARBALL = "$ORIGIN/../lib/sparring/torch/lib"

# The newest symbols of libstdc++ that a machine has for certain if its glibc is at least this old: from
# auditwheel's manylinux-policy.json.
GLIBCXX_BY_GLIBC = [
    ((2, 39), (3, 4, 33)),
    ((2, 35), (3, 4, 30)),
    ((2, 34), (3, 4, 29)),
    ((2, 31), (3, 4, 28)),
    ((2, 27), (3, 4, 24)),
    ((2, 24), (3, 4, 22)),
    ((2, 17), (3, 4, 19)),
]

# Parts of glibc, which every Linux has; and the compiler's libraries, which a bare one lacks.
GLIBC = re.compile(r"(libc|libm|libdl|libpthread|librt|libutil|ld-linux[-\w]*)\.so\.\d+")
OF_THE_COMPILER = ["libstdc++.so.6", "libgcc_s.so.1"]

# Of 478 MB, on two cores: gzip makes 140 MB in 16 s (on one), xz 114 MB in 8 s at level 0, 103 MB in 25 s at 2, and
# 92 MB in 90 s at 6. Blocks are packed side by side, each a stream of its own: the number of cores changes no byte.
XZ_LEVEL, XZ_BLOCK = 2, 8 << 20


class Entry(NamedTuple):
    """A file of a package."""

    name: str
    mode: int
    content: Union[bytes, Path]

    def read(self):
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def size(self):
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def main():
    parser = argparse.ArgumentParser(description="Packs both programs, as they were built, for other machines.")
    parser.add_argument("what", choices=["wheel", "dist"])
    parser.add_argument("--programs", type=Path, default=ROOT / TARGET / "debug", metavar="DIR")
    parser.add_argument("--man", type=Path, default=ROOT / TARGET / "man", metavar="DIR")
    parser.add_argument("--out", type=Path, default=ROOT / TARGET / "packages", metavar="DIR")
    parser.add_argument("--libtorch", type=Path, metavar="DIR")
    parser.add_argument("--level", type=int, choices=range(10), default=XZ_LEVEL, metavar="N")
    parser.add_argument("--tree", action="store_true")
    flags = parser.parse_args()
    if sys.platform != "linux":
        raise Problem("packages are made on Linux only: elsewhere use `make install`")
    flags.out.mkdir(parents=True, exist_ok=True)
    (wheel if flags.what == "wheel" else dist)(flags)


# --- what both have ---------------------------------------------------------------------------


def programs(folder, search_path):
    """The face and the worker, stripped; the worker looks for libtorch in `search_path` alone."""
    check_pair(folder)
    face, worker = (strip(folder / name) for name in (FACE, WORKER))
    worker = bytearray(worker)
    with Elf(worker, WORKER) as elf:
        elf.set_search_path(search_path)
    return face, bytes(worker)


def strip(program):
    """The program without symbols, and without what differs from build to build."""
    if not shutil.which("strip"):
        raise Problem("no strip: install binutils (Debian: apt install binutils)")
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder, program.name)
        subprocess.run(
            ["strip", "--strip-all", "-R", ".note.gnu.build-id", "-R", ".comment", "-o", stripped, program],
            check=True,
        )
        return stripped.read_bytes()


def built_with(folder):
    """The libtorch that the worker was built with: where it looks for its libraries last."""
    program = folder / WORKER
    if not program.is_file():
        raise Problem(f"there is no {program}: run `make build`")
    with Elf(program.read_bytes(), program) as elf:
        torch = Path(elf.search_path().split(":")[-1]).parent.resolve()
    problem = libtorch.complaint(torch)
    if problem:
        raise Problem(f"{program} was built with the libtorch in {torch}, and {problem}: run `make build`")
    return torch


def check_pair(folder):
    """Refuses programs of two builds, which do not work together."""
    if not (folder / FACE).is_file():
        raise Problem(f"there is no {folder / FACE}: run `make build`")
    said = subprocess.run([folder / FACE, "doctor", "--device", "cpu", "--json"], stdout=subprocess.PIPE)
    failure = json.loads(said.stdout)["worker"]["failure"]
    if failure:
        raise Problem(f"the programs in {folder} do not work together ({failure}): run `make build`")


def manual(folder, to):
    pages = sorted(folder.glob("*.1"))
    if not pages:
        raise Problem(f"no manual pages in {folder}: run `make man`")
    return [Entry(f"{to}/{page.name}", 0o644, page) for page in pages]


def licences(to):
    texts = [Entry(f"{to}/{name}", 0o644, ROOT / name) for name in LICENCES]
    return texts + [Entry(f"{to}/THIRD-PARTY-NOTICES", 0o644, notices.of_dependencies().encode())]


def about():
    """What Cargo.toml says of the project."""
    text = (ROOT / "Cargo.toml").read_text()
    return {
        name: re.search(rf'^{name} = "(.*)"', text, re.MULTILINE)[1] for name in ("version", "description", "license")
    }


def date():
    """Seconds since 1970 for every entry."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or str(OLDEST_DATE)
    if not text.isdigit():
        raise Problem(f"SOURCE_DATE_EPOCH={text}: give seconds since 1970, or unset it")
    return max(int(text), OLDEST_DATE)


def newest(needed, family):
    """The newest version of a family of symbols, such as GLIBC, among those that are needed."""
    versions = [name[len(family) + 1 :] for name in needed if name.startswith(family + "_")]
    numbers = [tuple(map(int, version.split("."))) for version in versions if re.fullmatch(r"[\d.]+", version)]
    return max(numbers, default=())


def dotted(version):
    return ".".join(map(str, version))


def report(path, lines):
    digest = libtorch.sha256_of(path)
    print(f"{path}: {megabytes(path.stat().st_size)}")
    for line in lines:
        print(f"  {line}")
    print(f"  sha256 {digest}")


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def put(path, write):
    """Writes a file under another name first: one that is there is whole."""
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        write(file)
    os.replace(partial, path)


# --- the wheel --------------------------------------------------------------------------------


def wheel(flags):
    built_with(flags.programs)
    face, worker = programs(flags.programs, PATH_IN_WHEEL)
    needed = set()
    for name, program in ((FACE, face), (WORKER, worker)):
        with Elf(program, name) as elf:
            needed |= elf.needed_versions()
    glibc, glibcxx = newest(needed, "GLIBC"), newest(needed, "GLIBCXX")
    certain = next((cxx for c, cxx in GLIBCXX_BY_GLIBC if c <= glibc), ())
    if glibcxx > certain:
        print(
            f"warning: the worker needs GLIBCXX_{dotted(glibcxx)}, and a machine with glibc {dotted(glibc)} has"
            f" {dotted(certain)} for certain: build on an older Linux",
            file=sys.stderr,
        )
    tag = f"py3-none-manylinux_{'_'.join(map(str, glibc))}_{platform.machine()}"
    version = about()["version"]
    stem, info = f"sparring-{version}", f"sparring-{version}.dist-info"
    entries = [
        Entry(f"{stem}.data/scripts/{FACE}", 0o755, face),
        Entry(f"sparring/bin/{WORKER}", 0o755, worker),
        *manual(flags.man, f"{stem}.data/data/share/man/man1"),
        Entry(f"{info}/METADATA", 0o644, metadata().encode()),
        Entry(f"{info}/WHEEL", 0o644, wheel_file(tag).encode()),
        *licences(f"{info}/licenses"),
    ]
    entries.sort(key=lambda entry: (entry.name.startswith(info), entry.name))
    entries.append(Entry(f"{info}/RECORD", 0o644, record(entries, info).encode()))
    path = flags.out / f"{stem}-{tag}.whl"
    put(path, lambda file: write_zip(entries, file))
    report(
        path,
        [
            f"{FACE} {megabytes(len(face))}, {WORKER} {megabytes(len(worker))}",
            f"needs glibc {dotted(glibc)} (GLIBCXX_{dotted(glibcxx)}) and torch=={libtorch.VERSION}.*",
        ],
    )


def metadata():
    project = about()
    # MNIST is in the worker, under a licence of its own (README.md).
    fields = [
        "Metadata-Version: 2.4",
        "Name: sparring",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        "Author: The sparring developers",
        f"License-Expression: ({project['license']}) AND CC-BY-SA-3.0",
        *(f"License-File: {name}" for name in [*LICENCES, "THIRD-PARTY-NOTICES"]),
        "Classifier: Environment :: Console",
        "Classifier: Operating System :: POSIX :: Linux",
        "Classifier: Topic :: Scientific/Engineering :: Artificial Intelligence",
        f"Requires-Dist: torch=={libtorch.VERSION}.*",
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(fields) + "\n\n" + (ROOT / "README.md").read_text()


def wheel_file(tag):
    return f"Wheel-Version: 1.0\nGenerator: sparring\nRoot-Is-Purelib: false\nTag: {tag}\n"


def record(entries, info):
    lines = []
    for entry in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry.read()).digest()).rstrip(b"=").decode()
        lines.append(f"{entry.name},sha256={digest},{entry.size()}\n")
    return "".join(lines) + f"{info}/RECORD,,\n"


def write_zip(entries, file):
    when = time.gmtime(date())[:6]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, when)
            info.create_system = 3  # Unix, so that pip looks at the mode
            info.external_attr = (stat.S_IFREG | entry.mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.read())


# --- the tarball ------------------------------------------------------------------------------


def dist(flags):
    torch = flags.libtorch.resolve() if flags.libtorch else built_with(flags.programs)
    face, worker = programs(flags.programs, PATH_IN_TARBALL)
    version = about()["version"]
    stem = f"sparring-{version}-{platform.machine()}-linux"
    entries = [
        Entry(f"bin/{FACE}", 0o755, face),
        Entry(f"bin/{WORKER}", 0o755, worker),
        *(Entry(f"lib/sparring/{name}", 0o755, file) for file, name in libraries(torch)),
        *manual(flags.man, "share/man/man1"),
        Entry("README.md", 0o644, ROOT / "README.md"),
        *licences("licenses"),
        Entry("licenses/LIBRARIES-NOTICES", 0o644, notices.of_libraries(torch).encode()),
    ]
    entries += of_the_compiler(entries)
    glibc = newest(needed_by(entries)[1], "GLIBC")
    entries.sort()
    sums = "".join(f"{hashlib.sha256(entry.read()).hexdigest()}  {entry.name}\n" for entry in entries)
    entries.append(Entry("SHA256SUMS", 0o644, sums.encode()))
    if flags.tree:
        return write_tree(entries, flags.out / stem)
    path = flags.out / f"{stem}.tar.xz"
    put(path, lambda file: write_tar(entries, stem, file, flags.level))
    big = [f"{entry.name} {megabytes(entry.size())}" for entry in entries if entry.size() > 200_000]
    rest = f"and {len(entries) - len(big)} small files"
    unpacked = megabytes(sum(entry.size() for entry in entries))
    report(path, [f"{unpacked} unpacked; needs glibc {dotted(glibc)} and nothing else", *big, rest])


def libraries(torch):
    """libtorch for CPUs. `libtorch.so` only names the others, for linkers, and needs CUDA where it has it."""
    return [part for part in libtorch.installed(torch, cuda=False) if part[0].name != "libtorch.so"]


def needed_by(entries):
    """The libraries, and the versions of their symbols, that the programs and libraries among these need."""
    libraries, versions = set(), set()
    for entry in entries:
        if entry.mode == 0o755:
            with Elf(entry.content, entry.name) as elf:
                libraries |= set(elf.needed_libraries())
                versions |= elf.needed_versions()
    return libraries, versions


def of_the_compiler(entries):
    """The compiler's libraries that these need, for a Linux that has none. What else they need must be among them."""
    there = {entry.name.rpartition("/")[2] for entry in entries}
    missing = {name for name in needed_by(entries)[0] - there if not GLIBC.fullmatch(name)}
    strange = sorted(missing - set(OF_THE_COMPILER))
    if strange:
        print(f"warning: a Linux that lacks {', '.join(strange)} cannot load libtorch", file=sys.stderr)
    # libstdc++ needs libgcc.
    wanted = [name for name in OF_THE_COMPILER if missing & set(OF_THE_COMPILER)]
    return [Entry(f"lib/sparring/torch/lib/{name}", 0o755, compilers_library(name)) for name in wanted]


def compilers_library(name):
    compiler = os.environ.get("CXX", "c++").split()
    try:
        said = subprocess.run([*compiler, f"-print-file-name={name}"], stdout=subprocess.PIPE, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"the C++ compiler does not say where {name} is ({error}): install one or set CXX")
    path = Path(said.stdout.strip()).resolve()
    if not path.is_file():
        raise Problem(f"the C++ compiler {compiler[0]} has no {name}: install g++, or set CXX")
    return path


def write_tar(entries, stem, file, level):
    when = date()
    with tempfile.TemporaryFile(dir=Path(file.name).parent) as plain:
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for entry in entries:
                info = tarfile.TarInfo(f"{stem}/{entry.name}")
                info.size, info.mode, info.mtime = entry.size(), entry.mode, when
                content = io.BytesIO(entry.content) if isinstance(entry.content, bytes) else open(entry.content, "rb")
                with content:
                    archive.addfile(info, content)
        plain.flush()
        with mmap.mmap(plain.fileno(), 0, access=mmap.ACCESS_READ) as whole, ThreadPoolExecutor(cores()) as pool:
            blocks = range(0, len(whole), XZ_BLOCK)
            for packed in pool.map(lambda at: lzma.compress(whole[at : at + XZ_BLOCK], preset=level), blocks):
                file.write(packed)


def cores():
    return len(os.sched_getaffinity(0))


def write_tree(entries, folder):
    """The tarball's files as a folder. A library is a link if it can be: there is no need for a second 440 MB."""
    shutil.rmtree(folder, ignore_errors=True)
    for entry in entries:
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry.content, bytes):
            path.write_bytes(entry.content)
        else:
            try:
                os.link(entry.content.resolve(), path)
                continue
            except OSError:
                shutil.copyfile(entry.content, path)
        path.chmod(entry.mode)
    print(folder)


if __name__ == "__main__":
    try:
        main()
    except (Problem, NotElf) as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; run again")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}; put that right and run again")
