#!/usr/bin/env python3
"""Three steps of the tutorial's GAN in PyTorch 2.13, as numbers to hold the engine against.

    make_fixture.py OUT.safetensors [--full]

Writes the initial weights, three batches and noises, and after each step the losses, all gradients and all weights.
The networks, the loss (sigmoid and BCELoss), Adam and the order of the two steps are the tutorial's. Without --full
the layers are narrow and the pictures 14x14, so that the file, which is kept in the repository, is small; with it they
are the tutorial's own.
"""
import argparse

import torch
from safetensors.torch import save_file
from torch import nn, optim

arguments = argparse.ArgumentParser()
arguments.add_argument("out")
arguments.add_argument("--full", action="store_true")
arguments = arguments.parse_args()
if arguments.full:
    latent, side, batch, g_hidden, d_hidden = 100, 28, 64, (256, 512, 1024), (512, 256)
else:
    latent, side, batch, g_hidden, d_hidden = 10, 14, 8, (24, 32, 40), (32, 16)
torch.manual_seed(20261123)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        a, b, c = g_hidden
        self.model = nn.Sequential(
            nn.Linear(latent, a), nn.ReLU(),
            nn.Linear(a, b), nn.ReLU(),
            nn.Linear(b, c), nn.ReLU(),
            nn.Linear(c, side * side), nn.Tanh())

    def forward(self, z):
        return self.model(z).reshape(-1, 1, side, side)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        a, b = d_hidden
        self.model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(side * side, a), nn.LeakyReLU(0.2),
            nn.Linear(a, b), nn.LeakyReLU(0.2),
            nn.Linear(b, 1), nn.Sigmoid())

    def forward(self, x):
        return self.model(x)


generator, discriminator, bce = Generator(), Discriminator(), nn.BCELoss()
networks = {"generator": generator, "discriminator": discriminator}
optimizers = {name: optim.Adam(network.parameters(), lr=2e-4) for name, network in networks.items()}
kept = {}


def keep(prefix, of):
    for network_name, network in networks.items():
        for name, parameter in network.named_parameters():
            kept[f"{prefix}.{network_name}.{name}"] = of(parameter).detach().clone().contiguous()


def learn(name, loss):
    optimizers[name].zero_grad()
    loss.backward()
    gradients = {n: p.grad.detach().clone() for n, p in networks[name].named_parameters()}
    optimizers[name].step()
    return gradients


keep("initial", lambda parameter: parameter)
real_label, fake_label = torch.ones(batch, 1), torch.zeros(batch, 1)
for step in range(3):
    real = torch.rand(batch, 1, side, side) * 2 - 1
    noise = torch.randn(batch, latent)
    kept[f"step.{step}.real"], kept[f"step.{step}.noise"] = real, noise

    fake = generator(noise)
    d_loss = bce(discriminator(real), real_label) + bce(discriminator(fake.detach()), fake_label)
    d_gradients = learn("discriminator", d_loss)
    g_loss = bce(discriminator(fake), real_label)
    g_gradients = learn("generator", g_loss)

    kept[f"step.{step}.d_loss"], kept[f"step.{step}.g_loss"] = d_loss.detach(), g_loss.detach()
    for name, gradients in (("discriminator", d_gradients), ("generator", g_gradients)):
        for parameter, gradient in gradients.items():
            kept[f"step.{step}.gradient.{name}.{parameter}"] = gradient
    keep(f"step.{step}.weight", lambda parameter: parameter)

save_file(kept, arguments.out)
