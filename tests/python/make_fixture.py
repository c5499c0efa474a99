#!/usr/bin/env python3
"""Three steps of a preset's GAN in PyTorch 2.13, to compare the engine with.

    make_fixture.py OUT.safetensors [--preset tutorial|dcgan] [--full]

Writes the initial weights, three batches with their noise, after each step the losses, all gradients, all weights and the
running statistics, and for dcgan the pictures of the last noise in eval mode. The networks, the loss (sigmoid and
BCELoss), Adam and the order of the two updates are the tutorial's, or those of config/dcgan.toml. Without --full the
layers are narrow and the pictures small, which keeps the files in the repository small; with it they have the preset's
sizes.

A gradient jumps where the input of a ReLU crosses zero, and if the input is close enough to zero, rounding decides on
which side it is: at full size PyTorch's own gradients in float32 and float64 differ by 1e-2 for one such input among a
million. So a step with such an input is repeated with another batch. A bias's gradient is a sum over the batch (and the
picture) in which real and fake almost cancel, and a sum is only as exact as its largest terms: the file holds the sum of
the absolute values too, as the norm over the biases.
"""
import argparse
import copy

import torch
from safetensors.torch import save_file
from torch import nn, optim

arguments = argparse.ArgumentParser()
arguments.add_argument("out")
arguments.add_argument("--preset", choices=["tutorial", "dcgan"], default="tutorial")
arguments.add_argument("--full", action="store_true")
arguments = arguments.parse_args()
# How close to zero the input of a ReLU may be: a few roundings of a sum of up to 1024 products. Convolutions have
# twenty times as many inputs, so the bound is lower there, or no batch would pass.
bend = {"tutorial": 1e-6, "dcgan": 1e-7}[arguments.preset]
latent, side, batch, g_hidden, d_hidden = {
    ("tutorial", True): (100, 28, 64, (256, 512, 1024), (512, 256)),
    ("tutorial", False): (10, 14, 8, (24, 32, 40), (32, 16)),
    ("dcgan", True): (64, 28, 128, (64, 32), (32, 64)),
    ("dcgan", False): (6, 12, 8, (10, 6), (5, 12)),
}[arguments.preset, arguments.full]
betas = {"tutorial": (0.9, 0.999), "dcgan": (0.5, 0.999)}[arguments.preset]
torch.manual_seed(20261123)


def tutorial_generator():
    a, b, c = g_hidden
    return nn.Sequential(
        nn.Linear(latent, a), nn.ReLU(),
        nn.Linear(a, b), nn.ReLU(),
        nn.Linear(b, c), nn.ReLU(),
        nn.Linear(c, side * side), nn.Tanh())


def tutorial_discriminator():
    a, b = d_hidden
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(side * side, a), nn.LeakyReLU(0.2),
        nn.Linear(a, b), nn.LeakyReLU(0.2),
        nn.Linear(b, 1), nn.Sigmoid())


def dcgan_generator():
    (a, b), small = g_hidden, side // 4
    return nn.Sequential(
        nn.Linear(latent, a * small * small), nn.Unflatten(1, (a, small, small)), nn.BatchNorm2d(a), nn.ReLU(),
        nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU(),
        nn.ConvTranspose2d(b, 1, 4, 2, 1), nn.Tanh())


def dcgan_discriminator():
    (a, b), small = d_hidden, side // 4
    return nn.Sequential(
        nn.Conv2d(1, a, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(b * small * small, 1), nn.Sigmoid())


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = {"tutorial": tutorial_generator, "dcgan": dcgan_generator}[arguments.preset]()

    def forward(self, z):
        return self.model(z).reshape(-1, 1, side, side)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = {"tutorial": tutorial_discriminator, "dcgan": dcgan_discriminator}[arguments.preset]()

    def forward(self, x):
        return self.model(x)


generator, discriminator, bce = Generator(), Discriminator(), nn.BCELoss()
networks = {"generator": generator, "discriminator": discriminator}
optimizers = {name: optim.Adam(network.parameters(), lr=2e-4, betas=betas) for name, network in networks.items()}
kept = {}


def keep(prefix, of):
    for network_name, network in networks.items():
        buffers = ((name, buffer) for name, buffer in network.named_buffers() if "running" in name)
        for name, parameter in [*network.named_parameters(), *buffers]:
            kept[f"{prefix}.{network_name}.{name}"] = of(parameter).detach().clone().contiguous()


def update(name, loss):
    """Updates a network. Returns its gradients, and the sums of absolute values for those of its biases."""
    summed.clear()
    optimizers[name].zero_grad()
    loss.backward()
    made = {f"gradient.{name}.{n}": p.grad.detach().clone() for n, p in networks[name].named_parameters()}
    for n, module in networks[name].named_modules():
        if module in summed:
            made[f"summed.{name}.{n}.bias"] = summed[module].norm()
    optimizers[name].step()
    return made


def make_step():
    """Makes a step on another batch. Returns what to keep, except the weights."""
    real = torch.rand(batch, 1, side, side) * 2 - 1
    noise = torch.randn(batch, latent)
    fake = generator(noise)
    d_loss = bce(discriminator(real), real_label) + bce(discriminator(fake.detach()), fake_label)
    d_made = update("discriminator", d_loss)
    g_loss = bce(discriminator(fake), real_label)
    g_made = update("generator", g_loss)

    made = {"real": real, "noise": noise, "d_loss": d_loss.detach(), "g_loss": g_loss.detach()}
    return made | d_made | g_made


nearest, summed = float("inf"), {}


def add_up(module, inputs, output):
    def add(gradient):
        summed[module] = summed.get(module, 0) + gradient.abs().transpose(0, 1).flatten(1).sum(1)

    output.register_hook(add)


def watch_bend(module, inputs, output):
    global nearest
    nearest = min(nearest, inputs[0].abs().min().item())


for network in networks.values():
    for module in network.modules():
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            module.register_forward_hook(watch_bend)
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(add_up)

keep("initial", lambda parameter: parameter)
real_label, fake_label = torch.ones(batch, 1), torch.zeros(batch, 1)
for step in range(3):
    before = [(part, copy.deepcopy(part.state_dict())) for part in (*networks.values(), *optimizers.values())]
    while True:
        nearest = float("inf")
        made = make_step()
        if nearest > bend:
            break
        for part, state in before:
            part.load_state_dict(copy.deepcopy(state))
    kept |= {f"step.{step}.{name}": tensor for name, tensor in made.items()}
    keep(f"step.{step}.weight", lambda parameter: parameter)

if arguments.preset == "dcgan":
    kept["pictures"] = generator.eval()(made["noise"]).detach()
save_file(kept, arguments.out)
