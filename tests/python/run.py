#!/usr/bin/env python3
"""Compares sparring with PyTorch 2.13: `make test-python`.

1. Three steps of tutorial and dcgan at full size, in PyTorch and in the engine (engine/tests/numbers.rs).
2. The tutorial's PyTorch modules load a checkpoint with load_state_dict, and draw the same pictures as
   `sparring sample --seed`.
3. NumPy and Pillow read the .npz and the PNG that `sample --out` wrote.
4. torchvision and NumPy read the data sets of `sample --format`, with the same pictures and labels (skipped if torchvision
   is not installed).
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
SPARRING = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "sparring"


def check(what, ok, figure=""):
    print(f"{'ok  ' if ok else 'FAIL'} {what} {figure}".rstrip())
    if not ok:
        sys.exit(1)


def linears(sizes, hidden, last):
    layers = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(inputs, outputs), hidden()]
    return layers[:-1] + last


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(*linears([100, 256, 512, 1024, 784], nn.ReLU, [nn.Tanh()]))

    def forward(self, z):
        return self.model(z).reshape(-1, 1, 28, 28)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        leaky = lambda: nn.LeakyReLU(0.2)
        self.model = nn.Sequential(nn.Flatten(), *linears([784, 512, 256, 1], leaky, [nn.Sigmoid()]))

    def forward(self, x):
        return self.model(x)


def numbers_at_full_size(folder):
    for preset in ["tutorial", "dcgan"]:
        fixture = folder / f"{preset}.safetensors"
        make = [sys.executable, ROOT / "tests/python/make_fixture.py", fixture, "--preset", preset, "--full"]
        subprocess.run(make, check=True)
    test = ["cargo", "test", "--workspace", "--test", "numbers", "--quiet"]
    done = subprocess.run(test, cwd=ROOT, env=os.environ | {"SPARRING_FIXTURES": str(folder)}, capture_output=True)
    check("three steps at full size, each tensor within 1e-5 in relative L2 norm", done.returncode == 0,
          done.stdout.decode()[-2000:] if done.returncode else "")


def checkpoint_in_pytorch(folder):
    environment = os.environ | {"SPARRING_HOME": str(folder)}
    sparring = lambda *arguments: subprocess.run([SPARRING, *arguments], env=environment, check=True,
                                                 capture_output=True)
    sparring("train", "--preset", "tutorial", "--steps", "30", "--name", "run", "--headless")
    tensors = load_file(folder / "runs/run/checkpoints/step-000000030.safetensors")
    part = lambda name: {k.removeprefix(name + "."): v for k, v in tensors.items() if k.startswith(name + ".")}
    generator, discriminator = Generator(), Discriminator()
    generator.load_state_dict(part("generator"))
    discriminator.load_state_dict(part("discriminator"))
    check("load_state_dict takes both networks", True)

    saved = folder / "samples.npz"
    sparring("sample", "run", "-n", "100", "--seed", "42", "--out", saved)
    found = np.load(saved)["images"].astype(int)
    torch.manual_seed(42)
    with torch.no_grad():
        pictures = generator(torch.randn(100, 100))
    expected = ((pictures + 1) * 127.5).round().clamp(0, 255).numpy().astype(int).reshape(-1, 28, 28)
    worst = np.abs(found - expected).max()
    check("PyTorch's pictures are those of sparring sample --seed", found.shape == expected.shape and worst <= 1,
          f"(greatest difference {worst} of 255)")

    grid = folder / "grid.png"
    sparring("sample", "run", "-n", "4", "--seed", "42", "--columns", "2", "--out", grid)
    corner = np.asarray(Image.open(grid))[:28, :28].astype(int)
    check("the PNG grid begins with the first of them", np.array_equal(corner, found[0]))


def data_sets(folder):
    try:
        from torchvision import datasets
    except ImportError:
        print("skip data sets are read by torchvision (it is not installed)")
        return
    environment = os.environ | {"SPARRING_HOME": str(folder)}
    sparring = lambda *arguments: subprocess.run([SPARRING, *arguments], env=environment, check=True,
                                                 capture_output=True)
    sparring("train", "--preset", "cgan", "--steps", "5", "--name", "ten", "--headless")
    write = lambda form, out: sparring("sample", "ten", "-n", "305", "--seed", "7", "--balanced", "--format", form,
                                       "--out", out)
    labels = np.arange(305) % 10

    raw = folder / "idx/MNIST/raw"
    raw.parent.mkdir(parents=True)
    write("idx", raw)
    for kind in ["images-idx3", "labels-idx1"]:
        # torchvision wants the test files as well; for this the drawn ones serve.
        (raw / f"t10k-{kind}-ubyte").write_bytes((raw / f"train-{kind}-ubyte").read_bytes())
    mnist = datasets.MNIST(folder / "idx", train=True)
    pictures = mnist.data.numpy()
    check("torchvision's MNIST reads --format idx", len(mnist) == 305 and np.array_equal(mnist.targets, labels))

    write("png", folder / "png")
    images = datasets.ImageFolder(folder / "png")
    number = [int(Path(path).stem) for path, _ in images.samples]
    same = all(np.array_equal(np.asarray(image)[..., 0], pictures[n]) and label == labels[n]
               for n, (image, label) in zip(number, images))
    check("torchvision's ImageFolder reads --format png", len(images) == 305 and same)

    write("npz", folder / "npz")
    arrays = np.load(folder / "npz/dataset.npz")
    check("NumPy reads --format npz as MedMNIST's arrays", np.array_equal(arrays["train_images"], pictures)
          and arrays["train_labels"].shape == (305, 1) and np.array_equal(arrays["train_labels"][:, 0], labels))


with tempfile.TemporaryDirectory() as temporary:
    numbers_at_full_size(Path(temporary))
    checkpoint_in_pytorch(Path(temporary))
    data_sets(Path(temporary))
