#!/usr/bin/env python3
"""What a user would run instead of sparring: the same two networks in PyTorch, from as taught to well tuned.

    torch_gan.py MODE [--model tutorial|conv|cdcgan|colour|colour64|residual|unet] [--batch N] [--steps N] [--threads N] …
    torch_gan.py MODE --dump DIR --at SECONDS,…     what it draws after so much training, as IDX files

MODE  tutorial  as the tutorial has it: torchvision's MNIST, ToTensor and a DataLoader, a picture at a time through PIL
      eager     the same step, with all pictures in memory as one tensor of bytes
      fused     eager, with Adam(fused=True)
      lean      fused, without what a step can do without: losses of logits, real and fake pictures in one pass of the
                discriminator, no gradients of the discriminator's weights while the generator learns
      compiled  lean, under torch.compile
      graphed   lean, the whole step captured as a CUDA graph (--device cuda)
The pictures are those of engine/assets, or random ones in colour. Prints one line of JSON. Its peak of memory is this process's own: the
compilers that `compiled` starts are not in it.
"""
import argparse
import contextlib
import gzip
import itertools
import json
import resource
import struct
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

IMAGES = Path(__file__).resolve().parents[1] / "engine/assets/train-images-idx3-ubyte.gz"
LEAK = 0.2
CLASSES = 10
# The shape of the pictures and the widths of the generator's layers.
DCGANS = {"conv": ((1, 28), [64, 32]), "cdcgan": ((1, 28), [64, 32]), "colour": ((3, 32), [128, 64, 32]),
          "colour64": ((3, 64), [256, 128, 64, 32])}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=["tutorial", "eager", "fused", "lean", "compiled", "graphed"])
    parser.add_argument("--model", choices=["tutorial", *DCGANS, "residual", "unet"], default="tutorial")
    parser.add_argument("--batch", type=int, help="real pictures a step (default: 64, else 128)")
    parser.add_argument("--width", type=float, default=1, help="factor on the widths of the tutorial's hidden layers")
    parser.add_argument("--skip", type=int, default=0, help="steps before the warm-up")
    parser.add_argument("--warmup", type=int, default=30, help="steps before the timed ones")
    parser.add_argument("--steps", type=int, default=400, help="timed steps")
    parser.add_argument("--seconds", type=float, help="end after so long, even if not all steps are done")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dump", type=Path, metavar="DIR", help="save pictures there instead of timing steps (tutorial)")
    parser.add_argument("--at", type=lambda text: [float(mark) for mark in text.split(",")], default=[60.0],
                        help="seconds of training, rising, by commas, at which 10,000 are saved")
    parser.add_argument("--channels-last", action="store_true", help="the memory format, for convolutions")
    arguments = parser.parse_args()
    convolves = arguments.model != "tutorial"
    arguments.batch = arguments.batch or {"tutorial": 64, "residual": 64, "unet": 32}.get(arguments.model, 128)
    if convolves and arguments.mode == "tutorial":
        parser.error("the tutorial has no convolutions: choose another mode")
    if arguments.model in ("cdcgan", "unet") and arguments.mode not in ("lean", "compiled"):
        parser.error(f"--model {arguments.model} is for lean and compiled")
    if arguments.model == "residual" and arguments.mode != "lean":
        parser.error("--model residual is for lean: torch.compile fails at the gradient of its padding")
    if arguments.dump and arguments.model != "tutorial":
        parser.error("--dump is for --model tutorial")
    if arguments.channels_last and not convolves:
        parser.error("--channels-last is for convolutions")
    if arguments.mode == "graphed" and arguments.device == "cpu":
        parser.error("CUDA graphs need --device cuda")
    return arguments


# ---- networks --------------------------------------------------------------------------------------------------------


def linears(sizes, activation):
    """Linear layers with an activation after each but the last."""
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return layers[:-1]


def tutorial_networks(width):
    """100 numbers to 784 pixels, and 784 pixels to a logit."""
    hidden = lambda *sizes: [round(size * width) for size in sizes]
    generator = nn.Sequential(*linears([100, *hidden(256, 512, 1024), 784], nn.ReLU), nn.Tanh())
    discriminator = nn.Sequential(*linears([784, *hidden(512, 256), 1], lambda: nn.LeakyReLU(LEAK)))
    return generator, discriminator


def dcgan_networks(shape, widths, classes=0):
    """In the shape of DCGAN (Radford et al. 2015): 64 numbers to pictures by way of ever larger ones, and back."""
    channels, side = shape
    smallest = side >> len(widths)
    generator = [nn.Linear(64 + classes, smallest * smallest * widths[0]),
                 nn.Unflatten(1, (widths[0], smallest, smallest)), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    for inputs, outputs in itertools.pairwise(widths):
        generator += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
    generator += [nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
    discriminator = []
    for inputs, outputs in itertools.pairwise([channels, *reversed(widths)]):
        discriminator += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(LEAK)]
    features = smallest * smallest * widths[0]
    return nn.Sequential(*generator), nn.Sequential(*discriminator, nn.Flatten(), nn.Linear(features, 1))


class Conditional(nn.Module):
    """Networks that are told the class: one-hot beside the noise, and as a projection (Miyato and Koyama 2018)."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.embedding = nn.Embedding(CLASSES, discriminator[-1].in_features)

    def draw(self, noise, classes):
        return self.generator(torch.cat([noise, F.one_hot(classes, CLASSES).float()], 1))

    def judge(self, pictures, classes):
        features = self.discriminator[:-1](pictures)
        return self.discriminator[-1](features) + (self.embedding(classes) * features).sum(1, keepdim=True)


class ResidualBlock(nn.Module):
    """R3GAN's (Huang et al. 2024), as in preset resnet: no wider inside, groups of 16 channels."""

    def __init__(self, channels):
        super().__init__()
        self.expand = nn.Conv2d(channels, channels, 1)
        self.grouped = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels // 16)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x):
        return x + self.project(F.leaky_relu(self.grouped(F.leaky_relu(self.expand(x), LEAK)), LEAK))


class GenerativeBasis(nn.Module):
    def __init__(self, inputs, channels, side):
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, side, side))
        self.linear = nn.Linear(inputs, channels, bias=False)
        self.in_features = inputs

    def forward(self, z):
        return self.basis * self.linear(z)[:, :, None, None]


class Downsample(nn.Module):
    """By the filter of bilinear interpolation."""

    def __init__(self, channels):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", taps.outer(taps).expand(channels, 1, 4, 4).contiguous())

    def forward(self, x):
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), self.kernel, stride=2, groups=x.shape[1])


def residual_networks():
    """Preset resnet on 1x28x28: blocks at 7x7 of 128 channels and at 14x14 of 64."""
    generator = nn.Sequential(
        GenerativeBasis(64, 128, 7), ResidualBlock(128), nn.Conv2d(128, 64, 1, bias=False),
        nn.Upsample(scale_factor=2, mode="bilinear"), ResidualBlock(64),
        nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh())
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1, bias=False), ResidualBlock(64), Downsample(64), nn.Conv2d(64, 128, 1, bias=False),
        ResidualBlock(128), nn.Conv2d(128, 128, 7, groups=128, bias=False), nn.Flatten(), nn.Linear(128, 1))
    return generator, discriminator


class UNet(nn.Module):
    """That of preset pix2pix on 1x28x28: a residual block at each resolution on the way down and on the way up."""

    def __init__(self, widths=(32, 64, 128)):
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.stem = nn.Conv2d(1, widths[0], 3, 1, 1, bias=False)
        self.down = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(width, below, 4, 2, 1, bias=False) for width, below in pairs)
        self.bottom = ResidualBlock(widths[-1])
        self.grow = nn.ModuleList(nn.ConvTranspose2d(below, width, 4, 2, 1, bias=False) for width, below in pairs)
        self.merge = nn.ModuleList(nn.Conv2d(2 * width, width, 1, bias=False) for width in widths[:-1])
        self.up = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 1, 3, 1, 1, bias=False)

    def forward(self, x):
        x, kept = self.stem(x), []
        for down, shrink in zip(self.down, self.shrink):
            kept.append(down(x))
            x = shrink(kept[-1])
        x = self.bottom(x)
        for level in reversed(range(len(kept))):
            x = torch.cat([self.grow[level](x), kept[level]], 1)
            x = self.up[level](self.merge[level](x))
        x = self.head(x)
        return x.tanh() + x * 0.01


def unet_networks():
    """Preset pix2pix: a U-Net, and a discriminator that sees the condition beside the picture."""
    spectral = torch.nn.utils.parametrizations.spectral_norm
    discriminator = nn.Sequential(
        spectral(nn.Conv2d(2, 32, 4, 2, 1)), nn.LeakyReLU(LEAK), spectral(nn.Conv2d(32, 64, 4, 2, 1)), nn.LeakyReLU(LEAK),
        nn.Flatten(), spectral(nn.Linear(64 * 7 * 7, 1)))
    return UNet(), discriminator


# ---- pictures --------------------------------------------------------------------------------------------------------


def taught_batches(arguments):
    """The tutorial's own way; endless."""
    import torchvision

    with tempfile.TemporaryDirectory() as home:
        raw = Path(home) / "MNIST/raw"
        raw.mkdir(parents=True)
        pictures = gzip.decompress(IMAGES.read_bytes())
        (count,) = struct.unpack(">I", pictures[4:8])
        (raw / "train-images-idx3-ubyte").write_bytes(pictures)
        # torchvision asks for labels, which no step looks at, and for test files, which it does not open.
        (raw / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + bytes(count))
        for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]:
            (raw / name).touch()
        dataset = torchvision.datasets.MNIST(home, train=True, transform=torchvision.transforms.ToTensor())
    loader = torch.utils.data.DataLoader(dataset, batch_size=arguments.batch, shuffle=True, drop_last=True)
    while True:
        for real, _ in loader:
            yield real.flatten(1)


def resident_batches(arguments):
    """[batch, 784] or [batch, channels, height, width] in [-1, 1]; endless."""
    if arguments.model.startswith("colour"):
        (channels, side), _ = DCGANS[arguments.model]
        pixels = torch.randint(256, (5_000, channels, side, side), dtype=torch.uint8)
    else:
        pictures = bytearray(gzip.decompress(IMAGES.read_bytes()))
        shape = (-1, 784) if arguments.model == "tutorial" else (-1, 1, 28, 28)
        pixels = torch.frombuffer(pictures, dtype=torch.uint8, offset=16).view(shape)
    pixels = pixels.to(arguments.device)
    while True:
        order = torch.randperm(len(pixels), device=arguments.device)
        for chosen in order.split(arguments.batch):
            if len(chosen) == arguments.batch:
                yield pixels[chosen].float().div_(127.5).sub_(1)


# ---- steps -----------------------------------------------------------------------------------------------------------


def plain_step(arguments, generator, discriminator, learn_g, learn_d):
    """The step as it is taught. The tutorial judges by a sigmoid and BCELoss, the others by logits."""
    latent = generator[0].in_features
    ones, zeros = (make(arguments.batch, 1, device=arguments.device) for make in (torch.ones, torch.zeros))
    if arguments.model == "tutorial":
        loss = lambda logits, target: F.binary_cross_entropy(torch.sigmoid(logits), target)
    else:
        loss = F.binary_cross_entropy_with_logits

    def step(real):
        fake = generator(torch.randn(arguments.batch, latent, device=arguments.device))
        learn_d.zero_grad()
        (loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        learn_d.step()
        learn_g.zero_grad()
        loss(discriminator(fake), ones).backward()
        learn_g.step()

    return step


@contextlib.contextmanager
def frozen(weights):
    """Without gradients for these weights: a generator learns through a discriminator that does not."""
    for weight in weights:
        weight.requires_grad_(False)
    yield
    for weight in weights:
        weight.requires_grad_(True)


def lean_step(arguments, generator, discriminator, learn_g, learn_d):
    latent, batch = generator[0].in_features, arguments.batch
    weights = list(discriminator.parameters())
    perhaps_compiled = torch.compile if arguments.mode == "compiled" else lambda function: function

    @perhaps_compiled
    def make(noise):
        return generator(noise)

    # softplus(-x) is the binary cross-entropy of logit x with target 1, softplus(x) that with target 0.
    @perhaps_compiled
    def d_loss(real, fake):
        logits = discriminator(torch.cat([real, fake]))
        return F.softplus(-logits[:batch]).mean() + F.softplus(logits[batch:]).mean()

    @perhaps_compiled
    def g_loss(fake):
        return F.softplus(-discriminator(fake)).mean()

    def step(real):
        fake = make(torch.randn(batch, latent, device=arguments.device))
        learn_d.zero_grad()
        d_loss(real, fake.detach()).backward()
        learn_d.step()
        with frozen(weights):
            learn_g.zero_grad()
            g_loss(fake).backward()
            learn_g.step()

    return step


def conditional_step(arguments, generator, discriminator, learn_g, learn_d, networks):
    """lean_step with classes, and a moving average of the generator, as in preset cdcgan."""
    batch = arguments.batch
    averages = [weight.detach().clone() for weight in generator.parameters()]
    perhaps_compiled = torch.compile if arguments.mode == "compiled" else lambda function: function
    judge = perhaps_compiled(networks.judge)
    draw = perhaps_compiled(networks.draw)
    of_discriminator = [*discriminator.parameters(), *networks.embedding.parameters()]

    def step(real):
        # Labels cost nothing to look up, so any will do.
        classes = torch.randint(CLASSES, (batch,), device=arguments.device)
        fake = draw(torch.randn(batch, 64, device=arguments.device), classes)
        learn_d.zero_grad()
        logits = judge(torch.cat([real, fake.detach()]), torch.cat([classes, classes]))
        (F.softplus(-logits[:batch]).mean() + F.softplus(logits[batch:]).mean()).backward()
        learn_d.step()
        with frozen(of_discriminator):
            learn_g.zero_grad()
            F.softplus(-judge(fake, classes)).mean().backward()
            learn_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, list(generator.parameters()), 1 - 0.998)

    return step


def residual_step(arguments, generator, discriminator, learn_g, learn_d):
    """The relativistic loss with R1 and R2 at every eighth step, and a moving average, as in preset resnet."""
    batch, every, count = arguments.batch, 8, itertools.count()
    averages = [weight.detach().clone() for weight in generator.parameters()]
    weights = list(discriminator.parameters())

    def step(real):
        fake = generator(torch.randn(batch, 64, device=arguments.device))
        learn_d.zero_grad()
        logits = discriminator(torch.cat([real, fake.detach()]))
        F.softplus(logits[batch:] - logits[:batch]).mean().backward()
        if next(count) % every == 0:
            pictures = torch.cat([real, fake.detach()]).requires_grad_()
            (gradient,) = torch.autograd.grad(discriminator(pictures).sum(), pictures, create_graph=True)
            (gradient.square().sum([1, 2, 3]).mean() * every).backward()
        learn_d.step()
        with frozen(weights):
            learn_g.zero_grad()
            with torch.no_grad():
                known = discriminator(real)
            F.softplus(known - discriminator(fake)).mean().backward()
            learn_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, list(generator.parameters()), 1 - 0.999)

    return step


def unet_step(arguments, generator, discriminator, learn_g, learn_d):
    """Enlarging four times: hinge loss and mean absolute difference, and a moving average, as in preset pix2pix."""
    batch = arguments.batch
    averages = [weight.detach().clone() for weight in generator.parameters()]
    weights = list(discriminator.parameters())
    perhaps_compiled = torch.compile if arguments.mode == "compiled" else lambda function: function
    make = perhaps_compiled(generator)

    @perhaps_compiled
    def d_loss(condition, real, fake):
        logits = discriminator(torch.cat([torch.cat([condition, real], 1), torch.cat([condition, fake], 1)]))
        return F.relu(1 - logits[:batch]).mean() + F.relu(1 + logits[batch:]).mean()

    @perhaps_compiled
    def g_loss(condition, real, fake):
        return 20 * F.l1_loss(fake, real) - discriminator(torch.cat([condition, fake], 1)).mean()

    def step(real):
        small = ((F.avg_pool2d(real, 4) + 1) * 127.5).round() / 127.5 - 1
        condition = F.interpolate(small, scale_factor=4, mode="bicubic").clamp(-1, 1)
        fake = make(condition)
        learn_d.zero_grad()
        d_loss(condition, real, fake.detach()).backward()
        learn_d.step()
        with frozen(weights):
            learn_g.zero_grad()
            g_loss(condition, real, fake).backward()
            learn_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, list(generator.parameters()), 1 - 0.998)

    return step


def graphed_step(step, batches):
    """The same step as one CUDA graph, on a batch in memory that stays the same."""
    static = next(batches).clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step(static)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(static)

    def replay(real):
        static.copy_(real)
        graph.replay()

    return replay


# ---- measuring -------------------------------------------------------------------------------------------------------


def wait(arguments):
    """Until the device has done what it was given."""
    if arguments.device != "cpu":
        torch.cuda.synchronize()


def measure(step, batches, arguments):
    """Timed steps, and the seconds that they took with their batches."""
    for _ in range(arguments.skip + arguments.warmup):
        step(next(batches))
    wait(arguments)
    done, began = 0, time.perf_counter()
    end = began + (arguments.seconds or float("inf"))
    while done < arguments.steps and time.perf_counter() < end:
        step(next(batches))
        done += 1
    wait(arguments)
    return done, time.perf_counter() - began


def dump(step, batches, generator, arguments):
    """Saves what the generator draws at each mark of the steps' own time."""
    arguments.dump.mkdir(parents=True, exist_ok=True)
    spent, dumps = 0.0, []
    for mark in arguments.at:
        while spent < mark:
            began = time.perf_counter()
            step(next(batches))
            spent += time.perf_counter() - began
        file = arguments.dump / f"{mark:06.1f}s.idx3-ubyte"
        file.write_bytes(struct.pack(">IIII", 2051, 10_000, 28, 28) + drawn(generator, arguments))
        dumps.append({"seconds": round(spent, 2), "file": str(file)})
    return dumps


def drawn(generator, arguments):
    """10,000 pictures as bytes. Training goes on with the noise that it would have had."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(7)
        pixels = generator(torch.randn(10_000, generator[0].in_features))
    # As it is taught, real pixels go from 0 to 1, and the generator's from -1 to 1.
    grey = pixels.clamp(0, 1) if arguments.mode == "tutorial" else (pixels + 1) / 2
    return bytes(grey.mul(255).round().to(torch.uint8).numpy())


def made(arguments):
    """The generator and the discriminator."""
    if arguments.model == "tutorial":
        return tutorial_networks(arguments.width)
    if arguments.model == "residual":
        return residual_networks()
    if arguments.model == "unet":
        return unet_networks()
    shape, widths = DCGANS[arguments.model]
    return dcgan_networks(shape, widths, CLASSES if arguments.model == "cdcgan" else 0)


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def main():
    arguments = parse()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    # In full precision, as sparring's float32; and the algorithms that are fastest for these sizes.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(arguments.seed)
    generator, discriminator = made(arguments)
    conditional = Conditional(generator, discriminator) if arguments.model == "cdcgan" else None
    networks = [generator, discriminator] + ([conditional] if conditional else [])
    for network in networks:
        network.to(arguments.device)
        if arguments.channels_last:
            network.to(memory_format=torch.channels_last)
    rate, betas = 2e-4, (0.9, 0.999) if arguments.model == "tutorial" else (0.5, 0.999)
    fused = None if arguments.mode in ("tutorial", "eager") else True
    capturable = arguments.mode == "graphed"
    learnt = [list(generator.parameters()), list(discriminator.parameters())]
    if conditional:
        learnt[1] += conditional.embedding.parameters()
    optimisers = [torch.optim.Adam(weights, lr=rate, betas=betas, fused=fused, capturable=capturable)
                  for weights in learnt]
    batches = taught_batches(arguments) if arguments.mode == "tutorial" else resident_batches(arguments)
    if conditional:
        step = conditional_step(arguments, generator, discriminator, *optimisers, conditional)
    elif arguments.model == "residual":
        step = residual_step(arguments, generator, discriminator, *optimisers)
    elif arguments.model == "unet":
        step = unet_step(arguments, generator, discriminator, *optimisers)
    else:
        make_step = lean_step if arguments.mode in ("lean", "compiled", "graphed") else plain_step
        step = make_step(arguments, generator, discriminator, *optimisers)
    if arguments.mode == "graphed":
        step = graphed_step(step, batches)
    if arguments.dump:
        print(json.dumps({"program": "pytorch", "mode": arguments.mode,
                          "dumps": dump(step, batches, generator, arguments)}))
        return
    steps, seconds = measure(step, batches, arguments)
    print(json.dumps({
        "program": "pytorch",
        "mode": arguments.mode + ("+channels_last" if arguments.channels_last else ""),
        "model": arguments.model,
        "device": arguments.device,
        "batch": arguments.batch,
        "threads": torch.get_num_threads(),
        "images_per_s": round(steps * arguments.batch / seconds, 1),
        "ms_per_step": round(seconds / steps * 1e3, 4),
        "peak_rss_mb": round(peak_megabytes(), 1),
    }))


main()
