"""The licences of what others wrote: of the crates in the programs, and of the libraries beside them."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from libtorch import ROOT, Problem

PROGRAMS = ["sparring", "sparring-engine"]
RULE = "\n\n" + "-" * 80 + "\n\n"
TEXTS = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def of_dependencies():
    """One text: each licence once, after the names of the crates that it comes with."""
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"]
    command += ["--filter-platform", f"{platform.machine()}-unknown-linux-gnu"]
    try:
        said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"cargo does not say what the programs are made of ({error}): run `make build`")
    metadata = json.loads(said.stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    by_text = {}
    for identity in compiled_in(metadata, packages):
        package = packages[identity]
        if package["source"]:  # the others are ours
            name = f"{package['name']} {package['version']} ({package['license'] or 'licence in its files'})"
            for text in texts(package):
                by_text.setdefault(text, []).append(name)
    parts = [", ".join(sorted(names)) + "\n\n" + text for text, names in by_text.items()]
    return "The programs contain code of these crates, under these licences.\n\n" + RULE.join(sorted(parts)) + "\n"


def of_libraries(torch):
    """One text: the licences that came with PyTorch and the parts of CUDA that it needs on a CPU."""
    names = ["torch-*", "nvidia_cuda_runtime-*", "nvidia_cuda_cupti-*"]
    folders = [folder for name in names for folder in sorted(torch.parent.glob(f"{name}.dist-info"))]
    files = [file for folder in folders for file in sorted(folder.rglob("*[Ll][Ii][Cc][Ee][Nn][CScs][Ee]*"))]
    if not files:
        print(f"warning: the licence of PyTorch is not beside {torch}: to pass the tarball on, add it", file=sys.stderr)
    by_text = {}
    for file in filter(Path.is_file, files):
        by_text.setdefault(file.read_text(errors="replace").strip(), file.relative_to(torch.parent).as_posix())
    return "Licences of the libraries.\n\n" + RULE.join(f"{name}\n\n{text}" for text, name in by_text.items()) + "\n"


def compiled_in(metadata, packages):
    """The programs' packages and all that they depend on when they run."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [identity for identity, package in packages.items() if package["name"] in PROGRAMS]
    found = set()
    while waiting:
        identity = waiting.pop()
        if identity not in found:
            found.add(identity)
            waiting += [
                dependency["pkg"]
                for dependency in nodes[identity]["deps"]
                if any(kind["kind"] is None for kind in dependency["dep_kinds"])
            ]
    return found


def texts(package):
    """The licences in a crate's folder; where there are none, what its manifest says."""
    folder = Path(package["manifest_path"]).parent
    files = sorted(name for name in os.listdir(folder) if name.lower().startswith(TEXTS) and (folder / name).is_file())
    found = [(folder / name).read_text(errors="replace").strip() for name in files]
    return found or [f"{package['license']}: {package['repository'] or package['name']}"]
