#!/usr/bin/env python3
"""Gives the project a libtorch 2.13: afterwards LIBTORCH, or .libtorch/torch, is one.

The first of these that is there:
  1. LIBTORCH_USE_PYTORCH set: the PyTorch of the active Python (torch-sys does the same)
  2. LIBTORCH set: that directory
  3. .libtorch/torch, when it is right already
  4. the active Python's PyTorch 2.13
  5. PyTorch's wheel through pip, pinned by hash in tools/libtorch/, unpacked into .libtorch
CUDA=1 asks for the CUDA set, CUDA=0 for the CPU set; without it an NVIDIA driver decides.

    libtorch.py                 make libtorch ready
    libtorch.py --copy-to DIR   copy its libraries to DIR, for an installation
"""

import contextlib
import ctypes
import fnmatch
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

VERSION = "2.13"
OLDEST_DRIVER = 580  # that runs CUDA 13
ROOT = Path(__file__).resolve().parent.parent
HOME = (ROOT / ".libtorch").resolve()  # may be a link to a larger disk
TORCH = HOME / "torch"  # a link to the libtorch in use: exchanging it is one step
PINS = ROOT / "tools" / "libtorch"

# The C++ libraries are the same in the wheel of every Python version: one is pinned for all.
WHEEL_PYTHON = ["--implementation", "cp", "--python-version", "3.12", "--abi", "cp312"]
GLIBC_TAGS = ["2_28", "2_27", "2_25", "2_24", "2_18", "2014", "2010", "1"]

# What is unpacked and installed. Python's own libraries and static ones never are.
LIBRARIES = ["torch/lib/*.so*", "torch/lib/*.dylib", "nvidia/*/lib/*.so*"]
HEADERS = ["torch/include/*", "torch/version.py"]
LICENCES = ["*.dist-info/licenses/*", "*.dist-info/*[Ll]icen[cs]e*"]
NEVER = ["*/libtorch_python.*", "*/libshm*", "*/libtorch_global_deps.*"]
# libtorch_cpu is linked against the CUDA runtime and CUPTI, and against nothing else of NVIDIA's.
NVIDIA_FOR_CPU = ["*/libcudart.so*", "*/libcupti.so*"]
CUDA_ONLY = ["*/libtorch_cuda*", "*/libc10_cuda.*", "*/libcaffe2_nvrtc.*", "*/libtorch_nvshmem.*"]


class Problem(Exception):
    """One line for the user: what, where, what to do."""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, and so ends pip too
    arguments = sys.argv[1:]
    if not arguments:
        print(f"libtorch: {make_ready()}")
    elif len(arguments) == 2 and arguments[0] == "--copy-to":
        make_ready()
        copy_libraries(Path(arguments[1]))
    else:
        raise Problem("usage: libtorch.py [--copy-to DIR]")


def make_ready():
    """Finds or fetches libtorch; says in a few words which it is."""
    if "LIBTORCH_USE_PYTORCH" in os.environ:
        torch = active_pytorch()
        problem = "has none" if torch is None else complaint(torch, cuda_asked_for())
        if problem:
            raise Problem(
                f"LIBTORCH_USE_PYTORCH is set, but PyTorch {VERSION} is not usable in {sys.executable}"
                f" ({problem}): pip install 'torch=={VERSION}.0' there, or unset it"
            )
        with lock():
            use(torch)
        return f"{describe(torch)} of the active Python, {torch}"

    if os.environ.get("LIBTORCH"):
        torch = Path(os.environ["LIBTORCH"])
        problem = complaint(torch, cuda_asked_for())
        if not torch.is_absolute():
            problem = "not an absolute path"
        if problem:
            raise Problem(f"LIBTORCH={torch}: {problem}; correct it, or unset it to have libtorch fetched")
        return f"{describe(torch)} of LIBTORCH, {torch}"

    cuda = cuda_wanted()
    if not is_ready(cuda):
        with lock():
            if not is_ready(cuda):  # another run may have made it ready while this one waited
                provide(cuda)
    return f"{describe(TORCH)} in {TORCH.resolve()}"


def provide(cuda):
    torch = active_pytorch()
    if torch:
        problem = complaint(torch, cuda_asked_for()) or load_error(torch)
        if not problem:
            return use(torch)
        print(f"libtorch: the active Python's PyTorch does not serve ({problem}); fetching one")
    fetch("cuda" if cuda else "cpu")


# --- what is there ---------------------------------------------------------------------------


def is_ready(cuda):
    if complaint(TORCH, cuda):
        return False
    name = TORCH.resolve().parent.name
    ours = TORCH.resolve().parent.parent == HOME
    return not ours or is_whole(HOME / name, read_pins(name))


def complaint(torch, cuda=None):
    """Why `torch` is no libtorch of the right version (with CUDA, where asked), or None."""
    if not torch.is_dir():
        return "there is no such directory"
    for part in [library(torch, "torch_cpu"), library(torch, "c10"), torch / "include"]:
        if not part.exists():
            return f"{part.relative_to(torch)} is missing"
    version = version_of(torch)
    if not re.match(re.escape(VERSION) + r"\b", version):
        return f"it is version {version or 'unknown'}, needed is {VERSION}"
    if cuda and not has_cuda(torch):
        return "it has no CUDA, which was asked for"
    return None


def version_of(torch):
    for name, pattern in [
        ("build-version", r"(\d+\.\d+\.\d+)"),
        ("version.py", r"__version__ = '(\d+\.\d+\.\d+)"),
    ]:
        with contextlib.suppress(OSError):
            found = re.search(pattern, (torch / name).read_text())
            if found:
                return found[1]
    with contextlib.suppress(OSError):
        header = (torch / "include/torch/headeronly/version.h").read_text()
        return ".".join(re.findall(r"#define TORCH_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
    return ""


def library(torch, name):
    return torch / "lib" / f"lib{name}.{'dylib' if sys.platform == 'darwin' else 'so'}"


def has_cuda(torch):
    return library(torch, "torch_cuda").exists()


def describe(torch):
    return f"{version_of(torch)} ({'CUDA and CPU' if has_cuda(torch) else 'CPU'})"


def load_error(torch):
    """The loader's word on libraries that this machine cannot load, or None."""
    name = "torch_cuda" if has_cuda(torch) else "torch_cpu"
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    result = subprocess.run(
        [sys.executable, "-c", code, str(library(torch, name))], stderr=subprocess.PIPE, text=True
    )
    return result.stderr.strip().splitlines()[-1] if result.returncode else None


def active_pytorch():
    spec = importlib.util.find_spec("torch")  # finds it without running it
    return Path(spec.origin).parent if spec and spec.origin else None


def cuda_asked_for():
    return os.environ.get("CUDA") == "1"


def cuda_wanted():
    asked = os.environ.get("CUDA", "")
    if asked not in ("", "0", "1"):
        raise Problem(f"CUDA={asked}: give 1 for the CUDA set, 0 for the CPU set, or nothing")
    if asked:
        return asked == "1"
    if platform.system() != "Linux":
        return False
    driver = nvidia_driver()
    if driver:
        return driver >= OLDEST_DRIVER  # gigabytes that could not run are not fetched unasked
    with contextlib.suppress(OSError):
        ctypes.CDLL("libcuda.so.1")
        return True
    return False


def nvidia_driver():
    """The major version of the NVIDIA driver's kernel module, or None."""
    with contextlib.suppress(OSError):
        found = re.search(r"\s(\d+)\.\d+", Path("/proc/driver/nvidia/version").read_text())
        return int(found[1]) if found else None
    return None


# --- fetching --------------------------------------------------------------------------------


def pins_file(name):
    system = {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = {"AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    file = PINS / f"{system}-{machine}-{name}.txt"
    if not file.exists():
        raise Problem(
            f"no {name} libtorch is pinned for {system} on {machine} (tools/libtorch):"
            f" install PyTorch {VERSION} and set LIBTORCH to its torch directory"
        )
    return file


def read_pins(name):
    """The requirement lines, which name a wheel and its sha256 each."""
    lines = pins_file(name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def fetch(name):
    pins = read_pins(name)
    download, unpacked = map(
        int, re.search(r"(\d+) MB to download, (\d+) MB unpacked", pins_file(name).read_text()).groups()
    )
    wheels = HOME / "wheels"
    have = sum(f.stat().st_size for f in wheels.glob("*/*.whl")) // 10**6
    needed = download - have + max(unpacked, 600)  # pip holds the wheel it fetches a second time
    free = shutil.disk_usage(HOME).free // 10**6
    if free < needed:
        raise Problem(f"{needed} MB of disk needed in {HOME}, {free} MB free: make room and run again")

    print(
        f"libtorch: fetching the {name.upper()} set of PyTorch {VERSION}:"
        f" {download} MB to download, {unpacked} MB on disk",
        flush=True,
    )
    if name == "cpu" and (nvidia_driver() or OLDEST_DRIVER) < OLDEST_DRIVER:
        print(f"libtorch: no CUDA: this machine's NVIDIA driver is older than {OLDEST_DRIVER}")
    files = [fetch_wheel(pin, wheels) for pin in pins]
    partial = HOME / f"{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    for file in files:
        print(f"libtorch: unpacking {file.name} ({file.stat().st_size / 1e6:.0f} MB)", flush=True)
        unpack(file, partial, cuda=name == "cuda")
    write_stamp(partial, pins)
    problem = load_error(partial / "torch")
    if problem:
        raise Problem(f"the fetched libtorch does not load on this machine ({problem}): set LIBTORCH to one that does")

    target = HOME / name
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    use(target / "torch")
    for rest in ["wheels", "tmp", "cpu.partial", "cuda.partial", "cpu" if name == "cuda" else "cuda"]:
        shutil.rmtree(HOME / rest, ignore_errors=True)


def fetch_wheel(pin, wheels):
    """The wheel of one pinned requirement; one that an earlier run fetched whole is kept."""
    requirement, sha256 = re.fullmatch(r"(\S+) --hash=sha256:(\w+)", pin).groups()
    folder = wheels / sha256[:16]
    found = list(folder.glob("*.whl"))
    if found and sha256_of(found[0]) == sha256:
        print(f"libtorch: {found[0].name} is here already", flush=True)
        return found[0]

    if importlib.util.find_spec("pip") is None:
        raise Problem(
            f"{sys.executable} has no pip: install it (Debian: apt install python3-pip;"
            " elsewhere: python3 -m ensurepip --user) and run again"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    temporary = HOME / "tmp"  # the system's may be small, or memory
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    (folder / "pin.txt").write_text(pin + "\n")
    result = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir"]
        + ["--no-deps", "--only-binary", ":all:", *WHEEL_PYTHON, *platform_tags()]
        + ["--require-hashes", "-r", str(folder / "pin.txt"), "--dest", str(folder)],
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    found = list(folder.glob("*.whl"))
    if result.returncode or not found:
        raise Problem(
            f"pip could not fetch {requirement} (its reason is above): check the network and pip's"
            f" index, then run again; or set LIBTORCH to a libtorch {VERSION}"
        )
    if sha256_of(found[0]) != sha256:
        raise Problem(f"{found[0]} is not the pinned file (sha256 differs): run again to fetch it anew")
    return found[0]


def platform_tags():
    if platform.system() == "Darwin":
        tags = [f"macosx_14_0_{platform.machine()}"]
    else:
        tags = [f"manylinux{'_' * ('_' in tag)}{tag}_{platform.machine()}" for tag in GLIBC_TAGS]
    return [word for tag in tags for word in ("--platform", tag)]


def sha256_of(file):
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def unpack(wheel, to, cuda):
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if is_needed(name, cuda) or matches(name, HEADERS + LICENCES):
                    archive.extract(name, to)
    except (zipfile.BadZipFile, OSError) as error:
        raise Problem(f"{wheel} could not be unpacked ({error}): run again")


def is_needed(name, cuda):
    if matches(name, NEVER) or not matches(name, LIBRARIES):
        return False
    if cuda:
        return True
    return matches(name, NVIDIA_FOR_CPU) if name.startswith("nvidia/") else not matches(name, CUDA_ONLY)


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


# The stamp names the pins and the size of every library. It is written into a set before the set
# gets its name: a set with a stamp that agrees is whole.


def write_stamp(directory, pins):
    libraries = sorted(f for f in directory.glob("*/**/lib*") if f.is_file() and f.parent.name == "lib")
    sizes = [f"{f.stat().st_size} {f.relative_to(directory).as_posix()}" for f in libraries]
    (directory / "stamp").write_text("\n".join([*pins, "", *sizes, ""]))


def is_whole(directory, pins):
    with contextlib.suppress(OSError):
        named, _, sizes = (directory / "stamp").read_text().partition("\n\n")
        listed = [line.split(" ", 1) for line in sizes.splitlines()]
        return (
            named.splitlines() == pins
            and bool(listed)
            and all((directory / name).stat().st_size == int(size) for size, name in listed)
        )
    return False


# --- using -----------------------------------------------------------------------------------


def use(torch):
    """Points .libtorch/torch at `torch`, in one step."""
    if TORCH.exists() and TORCH.resolve() == torch.resolve():
        return
    if TORCH.is_dir() and not TORCH.is_symlink():
        raise Problem(f"{TORCH} is a directory, not a link made by this tool: remove it and run again")
    if (TORCH.is_symlink()) and not has_cuda(torch):
        print("libtorch: if linking now misses torch_cuda, run `cargo clean -p torch-sys` once")
    target = torch.relative_to(HOME) if HOME in torch.parents else torch
    new = HOME / "torch.new"
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    new.symlink_to(target)
    os.replace(new, TORCH)


@contextlib.contextmanager
def lock():
    """One run at a time changes .libtorch; the kernel frees the lock of a run that dies."""
    import fcntl

    HOME.mkdir(exist_ok=True)
    with open(HOME / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("libtorch: another run is at work on .libtorch, waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def installed(torch, cuda):
    """The libraries of an installation, each with its name there: the layout that their search paths expect."""
    parts = [(file, "torch/lib/" + file.name) for file in (torch / "lib").iterdir()]
    parts += [(file, file.relative_to(torch.parent).as_posix()) for file in torch.parent.glob("nvidia/*/lib/*")]
    return sorted((file, name) for file, name in parts if file.is_file() and is_needed(name, cuda))


def copy_libraries(to):
    """Copies the libraries for an installation."""
    torch = TORCH
    if "LIBTORCH_USE_PYTORCH" not in os.environ and os.environ.get("LIBTORCH"):
        torch = Path(os.environ["LIBTORCH"])
    torch = torch.resolve()
    parts = installed(torch, cuda=has_cuda(torch) and os.environ.get("CUDA") != "0")
    size = sum(file.stat().st_size for file, _ in parts)
    new = to.with_name(to.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    free = shutil.disk_usage(new).free
    if free < size:
        raise Problem(f"{size // 10**6} MB of disk needed in {to}, {free // 10**6} MB free: make room and run again")
    print(f"libtorch: copying {size / 1e6:.0f} MB of libraries to {to}", flush=True)
    for file, name in parts:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, new / name)
    shutil.rmtree(to, ignore_errors=True)
    new.rename(to)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; run again to go on")
    except OSError as error:
        sys.exit(f"error: {error}; put that right and run again")
