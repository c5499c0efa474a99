#!/usr/bin/env python3
"""Three steps of small GANs in PyTorch 2.13, to compare the engine with: each loss, penalty, norm and architecture once.

    make_games.py OUT.safetensors

Also what differentiable augmentation makes of pictures. For each of GAMES: the initial state, three batches with their noise, and after each step the losses and the whole state,
including the moving average. torch.manual_seed(step) is called before each step, for the numbers drawn within it.
"""
import sys

import torch
from safetensors.torch import save_file
from torch import nn, optim
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

LATENT, SIDE, BATCH = 6, 8, 8
# Differences from plain MLPs with binary cross-entropy; engine/tests/games.rs has the same as configuration keys.
GAMES = {
    "hinge": dict(loss="hinge"),
    "least_squares": dict(loss="least_squares", ema=0.9, batch_norm=True),
    "smooth": dict(smoothing=0.1, schedule=lambda step: 0.1 + 0.9 * (1 - step / 4)),
    "wasserstein": dict(loss="wasserstein", wgan_gp=10.0),
    "relativistic": dict(loss="relativistic", r1=0.5, r2=0.3, lazy_interval=2, betas=(0.0, 0.99)),
    "conditional": dict(classes=3, ema=0.9),
    "convolutional": dict(conv=True, r1=1.0, spectral=True, batch_norm=True),
    "residual": dict(residual=True, loss="relativistic", r1=0.5, r2=0.3, lazy_interval=2, classes=3),
    "enlarging": dict(unet=True, conv=True, spectral=True, loss="hinge", l1=20.0, ema=0.9),
}


def rows(layers):
    """The layers that are not None, in a row."""
    return nn.Sequential(*(layer for layer in layers if layer is not None))


class ResidualBlock(nn.Module):
    """R3GAN's (Huang et al. 2024), with an expansion of 2 and groups of 4 channels."""

    def __init__(self, channels):
        super().__init__()
        inner = 2 * channels
        self.expand = nn.Conv2d(channels, inner, 1)
        self.grouped = nn.Conv2d(inner, inner, 3, 1, 1, groups=inner // 4)
        self.project = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x):
        leaky = lambda z: F.leaky_relu(z, 0.2)
        return x + self.project(leaky(self.grouped(leaky(self.expand(x)))))


class GenerativeBasis(nn.Module):
    def __init__(self, inputs, channels, side):
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, side, side))
        self.linear = nn.Linear(inputs, channels, bias=False)

    def forward(self, z):
        return self.basis * self.linear(z)[:, :, None, None]


class DiscriminativeBasis(nn.Conv2d):
    def __init__(self, channels, side):
        super().__init__(channels, channels, side, groups=channels, bias=False)

    def forward(self, x):
        return super().forward(x).flatten(1)


class Downsample(nn.Module):
    def forward(self, x):
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        kernel = taps.outer(taps).expand(x.shape[1], 1, 4, 4)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=x.shape[1])


class UNet(nn.Module):
    """Two resolutions, with residual blocks (Ronneberger et al. 2015)."""

    def __init__(self, inputs):
        super().__init__()
        level = nn.Module()
        level.down, level.up = rows([ResidualBlock(4)]), rows([ResidualBlock(4)])
        level.shrink = nn.Conv2d(4, 8, 4, 2, 1, bias=False)
        level.grow = nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False)
        level.merge = nn.Conv2d(8, 4, 1, bias=False)
        self.levels = nn.ModuleList([level])
        self.stem, self.bottom = nn.Conv2d(inputs, 4, 3, 1, 1, bias=False), rows([ResidualBlock(8)])
        self.head = nn.Conv2d(4, 1, 3, 1, 1, bias=False)

    def forward(self, x):
        level = self.levels[0]
        kept = level.down(self.stem(x))
        below = self.bottom(level.shrink(kept))
        x = self.head(level.up(level.merge(torch.cat([level.grow(below), kept], 1))))
        return x.tanh() + x * 0.01


class Generator(nn.Module):
    def __init__(self, conv=False, residual=False, unet=False, batch_norm=False, classes=0, **_):
        super().__init__()
        self.classes = classes
        norm = (nn.BatchNorm2d if conv else nn.BatchNorm1d) if batch_norm else lambda width: None
        if unet:
            self.model = rows([UNet(1)])
        elif conv:
            self.model = rows([
                nn.Linear(LATENT, 10 * 2 * 2), nn.Unflatten(1, (10, 2, 2)), norm(10), nn.LeakyReLU(0.2),
                nn.ConvTranspose2d(10, 6, 4, 2, 1), norm(6), nn.LeakyReLU(0.2),
                nn.ConvTranspose2d(6, 1, 4, 2, 1), nn.Tanh()])
        elif residual:
            self.model = rows([
                GenerativeBasis(LATENT + classes, 8, SIDE // 2), ResidualBlock(8),
                nn.Conv2d(8, 6, 1, bias=False), nn.Upsample(scale_factor=2, mode="bilinear"), ResidualBlock(6),
                nn.Conv2d(6, 1, 1, bias=False), nn.Tanh()])
        else:
            self.model = rows([
                nn.Linear(LATENT + classes, 12), norm(12), nn.LeakyReLU(0.2),
                nn.Linear(12, 10), norm(10), nn.LeakyReLU(0.2),
                nn.Linear(10, SIDE * SIDE), nn.Tanh()])

    def forward(self, z, y):
        if self.classes:
            z = torch.cat([z, F.one_hot(y, self.classes).float()], 1)
        return self.model(z).reshape(-1, 1, SIDE, SIDE)


class Discriminator(nn.Module):
    def __init__(self, conv=False, residual=False, unet=False, spectral=False, classes=0, **_):
        super().__init__()
        norm = spectral_norm if spectral else lambda layer: layer
        if conv:
            self.model = rows([
                norm(nn.Conv2d(2 if unet else 1, 5, 4, 2, 1)), nn.LeakyReLU(0.2),
                norm(nn.Conv2d(5, 12, 4, 2, 1)), nn.LeakyReLU(0.2),
                nn.Flatten(), norm(nn.Linear(12 * 2 * 2, 1))])
        elif residual:
            self.model = rows([
                nn.Conv2d(1, 6, 1, bias=False), ResidualBlock(6), Downsample(),
                nn.Conv2d(6, 8, 1, bias=False), ResidualBlock(8), DiscriminativeBasis(8, SIDE // 2), nn.Linear(8, 1)])
        else:
            self.model = rows([
                nn.Flatten(),
                norm(nn.Linear(SIDE * SIDE, 14)), nn.LeakyReLU(0.2),
                norm(nn.Linear(14, 9)), nn.LeakyReLU(0.2),
                norm(nn.Linear(9, 1))])
        if classes:
            self.embedding = nn.Embedding(classes, self.model[-1].in_features)

    def forward(self, x, y):
        seen = self.model[:-1](x)
        logit = self.model[-1](seen)
        return logit + (self.embedding(y) * seen).sum(1, keepdim=True) if hasattr(self, "embedding") else logit


def discriminator_loss(loss, real, fake, smoothing):
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if loss == "least_squares":
        return 0.5 * F.mse_loss(real, torch.ones_like(real)) + 0.5 * F.mse_loss(fake, torch.zeros_like(fake))
    if loss == "wasserstein":
        return fake.mean() - real.mean()
    if loss == "relativistic":
        return F.softplus(fake - real).mean()
    bce = F.binary_cross_entropy_with_logits
    return bce(real, torch.full_like(real, 1 - smoothing)) + bce(fake, torch.zeros_like(fake))


def generator_loss(loss, real, fake):
    if loss in ("hinge", "wasserstein"):
        return -fake.mean()
    if loss == "least_squares":
        return 0.5 * F.mse_loss(fake, torch.ones_like(fake))
    if loss == "relativistic":
        return F.softplus(real - fake).mean()
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def squared_gradient_norms(discriminator, pictures, y):
    pictures = pictures.detach().requires_grad_()
    gradient, = torch.autograd.grad(discriminator(pictures, y).sum(), pictures, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def train(name, seed, loss="bce", smoothing=0.0, r1=0.0, r2=0.0, wgan_gp=0.0, lazy_interval=1, betas=(0.9, 0.999), ema=0.0, classes=0,
         l1=0.0, schedule=lambda step: 1.0, **shape):
    torch.manual_seed(seed)
    generator = Generator(classes=classes, **shape)
    discriminator = Discriminator(classes=classes, **shape)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            if parameter.ndim > 1:
                parameter *= 2  # so that no unit is on, or off, for all pictures
    average = Generator(classes=classes, **shape)
    average.load_state_dict(generator.state_dict())
    networks = {"generator": generator, "discriminator": discriminator}
    if ema:
        networks["ema.generator"] = average
    optimizers = [optim.Adam(network.parameters(), lr=2e-4, betas=betas) for network in (generator, discriminator)]

    def keep(prefix):
        for network, module in networks.items():
            for key, tensor in module.state_dict().items():
                if "num_batches" not in key:
                    kept[f"{name}.{prefix}.{network}.{key}"] = tensor.detach().clone().contiguous()

    kept = {}
    keep("initial")
    for step in range(3):
        real, noise = torch.rand(BATCH, 1, SIDE, SIDE) * 2 - 1, torch.randn(BATCH, LATENT)
        y = torch.randint(0, max(classes, 1), (BATCH,))
        if shape.get("unet"):
            # Enlarged twice, and what the generator starts from stands in the place of noise.
            small = ((F.avg_pool2d(real, 2) + 1) * 127.5).round() / 127.5 - 1
            noise = F.interpolate(small, scale_factor=2, mode="bicubic").clamp(-1, 1)
        see = lambda pictures: torch.cat([noise, pictures], 1) if shape.get("unet") else pictures
        kept[f"{name}.{step}.real"], kept[f"{name}.{step}.noise"], kept[f"{name}.{step}.classes"] = real, noise, y
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = 2e-4 * schedule(step)

        torch.manual_seed(step)
        fake = generator(noise, y)
        # In one pass, as in the engine: spectral normalisation makes one power iteration per pass.
        logits = discriminator(torch.cat([see(real), see(fake.detach())]), torch.cat([y, y]))
        d_loss = discriminator_loss(loss, logits[:BATCH], logits[BATCH:], smoothing)
        if step % lazy_interval == 0:
            for gamma, pictures in ((r1, real), (r2, fake)):
                if gamma:
                    d_loss = d_loss + lazy_interval * gamma / 2 * squared_gradient_norms(discriminator, pictures, y).mean()
            if wgan_gp:
                between = torch.rand(BATCH, 1, 1, 1) * (fake.detach() - real) + real
                norms = (squared_gradient_norms(discriminator, between, y) + 1e-12).sqrt()
                d_loss = d_loss + lazy_interval * wgan_gp * (norms - 1).square().mean()
        optimizers[1].zero_grad()
        d_loss.backward()
        optimizers[1].step()

        fake_logits = discriminator(see(fake), y)
        with torch.no_grad():
            real_logits = discriminator(real, y) if loss == "relativistic" else None
        g_loss = generator_loss(loss, real_logits, fake_logits) + l1 * (fake - real).abs().mean()
        optimizers[0].zero_grad()
        g_loss.backward()
        optimizers[0].step()
        # Biases that a batch norm or the other logit cancels.
        learning = [layer for layer in generator.model if hasattr(layer, "bias")]
        cancelled = [layer.bias for layer, after in zip(learning, learning[1:]) if "Norm" in type(after).__name__]
        cancelled += [discriminator.model[-1].bias] if loss in ("relativistic", "wasserstein", "hinge") else []
        gradients = [p.grad for network in (generator, discriminator) for p in network.parameters()
                     if all(p is not bias for bias in cancelled)]
        largest = [gradient.abs().max() for gradient in gradients]
        if shape.get("residual") or shape.get("unet"):
            # The gradients of its layers differ by orders of magnitude.
            tiny = [gradient.abs() < 1e-5 * most for gradient, most in zip(gradients, largest)]
        else:
            tiny = [gradient.abs() < 3e-6 * max(largest) for gradient in gradients]
        # The gradients of classes that are not in the batch are exactly zero.
        if any((few & (gradient != 0) if classes else few).any() for few, gradient in zip(tiny, gradients)):
            return None

        decay = min(ema, (1 + step) / (10 + step))
        for own, other in zip(average.state_dict().values(), generator.state_dict().values()):
            if own.is_floating_point():
                own.lerp_(other, 1 - decay)
        kept[f"{name}.{step}.d_loss"], kept[f"{name}.{step}.g_loss"] = d_loss.detach(), g_loss.detach()
        keep(f"{step}.state")
    return kept


def mixed(pictures, color=0.0, translation=0.0, cutout=0.0):
    """DiffAugment (Zhao et al. 2020), in the order of its authors; but translation repeats the edge."""
    n, _, height, width = pictures.shape
    draw = lambda: torch.rand(n, 1, 1, 1)
    rows, columns = torch.arange(height), torch.arange(width)
    x = pictures
    if color:
        x = x + (draw() - 0.5) * color
        mean = x.mean(1, keepdim=True)
        x = (x - mean) * (1 + color * (draw() * 2 - 1)) + mean
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * (1 + color * (draw() - 0.5)) + mean
    if translation:
        for axis, places in ((2, rows), (3, columns)):
            most = round(len(places) * translation)
            offsets = torch.randint(-most, most + 1, (n, 1, 1, 1)).flatten()
            shifted = [x[i].index_select(axis - 1, (places + offsets[i]).clamp(0, len(places) - 1)) for i in range(n)]
            x = torch.stack(shifted)
    if cutout:
        mask = torch.ones(n, height, width)
        side = round(height * cutout)
        top = torch.randint(height + 1 - side % 2, (n, 1, 1, 1)).flatten()
        left = torch.randint(width + 1 - side % 2, (n, 1, 1, 1)).flatten()
        for i in range(n):
            for dy in range(side):
                for dx in range(side):
                    y = (top[i] + dy - side // 2).clamp(0, height - 1)
                    mask[i, y, (left[i] + dx - side // 2).clamp(0, width - 1)] = 0
        x = x * mask.unsqueeze(1)
    return x


torch.manual_seed(7)
kept = {"augment.pictures": torch.rand(6, 3, 8, 8) * 2 - 1}
for name, rules in {
    "color": dict(color=1.0), "half_color": dict(color=0.5), "translation": dict(translation=0.25),
    "cutout": dict(cutout=0.5), "all": dict(color=1.0, translation=0.125, cutout=0.375),
}.items():
    torch.manual_seed(8)
    kept[f"augment.{name}"] = mixed(kept["augment.pictures"], **rules)
for name, rules in GAMES.items():
    # Rounding decides the sign of a tiny gradient, and Adam turns the sign into a whole step, so the search is for a
    # seed without tiny gradients.
    kept |= next(filter(None, (train(name, seed, **rules) for seed in range(5000))))
save_file(kept, sys.argv[1])
