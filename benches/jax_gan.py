#!/usr/bin/env python3
"""The tutorial's step in JAX: whole steps compiled by XLA and scanned, the quickest way known in Python on a CPU.

    jax_gan.py [--batch N] [--steps N] [--rounds N] [--threads N] [--width FACTOR]

The same networks and mathematics as torch_gan.py, on logits, with the pictures of engine/assets in memory. Prints one
line of JSON, with the median round. A round before them compiles, and is not counted.
"""
import argparse
import gzip
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[1] / "engine/assets/train-images-idx3-ubyte.gz"
LATENT, RATE, BETA1, BETA2 = 100, 2e-4, 0.9, 0.999

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--batch", type=int, default=64, help="real pictures a step")
parser.add_argument("--width", type=float, default=1, help="factor on the widths of the hidden layers")
parser.add_argument("--steps", type=int, default=400, help="steps a round")
parser.add_argument("--rounds", type=int, default=1, help="timed rounds")
parser.add_argument("--threads", type=int, default=0, help="0: as many as this process has cores")
arguments = parser.parse_args()
# XLA has no switch for the size of its thread pool: it takes as many threads as there are cores for the process.
if arguments.threads and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:arguments.threads])
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

BATCH = arguments.batch
PIXELS = jnp.asarray(np.frombuffer(gzip.decompress(IMAGES.read_bytes()), np.uint8, offset=16).reshape(-1, 784))


def network(key, sizes):
    """Weights and biases as PyTorch draws them: uniform within 1/sqrt(inputs)."""
    layers = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        key, for_weight, for_bias = jax.random.split(key, 3)
        draw = lambda key, shape: jax.random.uniform(key, shape, minval=-inputs**-0.5, maxval=inputs**-0.5)
        layers.append((draw(for_weight, (inputs, outputs)), draw(for_bias, (outputs,))))
    return layers


def forward(layers, x, activation):
    for weight, bias in layers[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def generate(generator, noise):
    return jnp.tanh(forward(generator, noise, jax.nn.relu))


def judge(discriminator, pictures):
    return forward(discriminator, pictures, lambda x: jax.nn.leaky_relu(x, 0.2))


def d_loss(discriminator, real, fake):
    logits = judge(discriminator, jnp.concatenate([real, fake]))
    return jax.nn.softplus(-logits[:BATCH]).mean() + jax.nn.softplus(logits[BATCH:]).mean()


def g_loss(fake, discriminator):
    return jax.nn.softplus(-judge(discriminator, fake)).mean()


def fresh(layers):
    """What learns: weights, and Adam's two moments."""
    zeros = jax.tree.map(jnp.zeros_like, layers)
    return layers, zeros, zeros


def adam(learner, gradients, step):
    weights, first, second = learner
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    rate, correction = RATE / (1 - BETA1**step), 1 - BETA2**step
    move = lambda w, m, v: w - rate * m / (jnp.sqrt(v / correction) + 1e-8)
    return jax.tree.map(move, weights, first, second), first, second


def step(state, chosen):
    generator, discriminator, count, key = state
    key, for_noise = jax.random.split(key)
    count += 1
    real = PIXELS[chosen].astype(jnp.float32) / 127.5 - 1
    noise = jax.random.normal(for_noise, (BATCH, LATENT))
    fake, back_to_generator = jax.vjp(lambda weights: generate(weights, noise), generator[0])
    loss_d, gradients = jax.value_and_grad(d_loss)(discriminator[0], real, fake)
    discriminator = adam(discriminator, gradients, count)
    loss_g, to_fake = jax.value_and_grad(g_loss)(fake, discriminator[0])
    generator = adam(generator, back_to_generator(to_fake)[0], count)
    return (generator, discriminator, count, key), (loss_d, loss_g)


@jax.jit
def round_of_steps(state, order):
    return jax.lax.scan(step, state, order)


def shuffled():
    """Which pictures each batch has; endless, in another order every epoch."""
    draws = np.random.default_rng(0)
    while True:
        order = draws.permutation(len(PIXELS)).astype(np.int32)
        yield from order[:len(order) // BATCH * BATCH].reshape(-1, BATCH)


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


hidden = lambda *sizes: [round(size * arguments.width) for size in sizes]
state = (
    fresh(network(jax.random.key(0), [LATENT, *hidden(256, 512, 1024), 784])),
    fresh(network(jax.random.key(1), [784, *hidden(512, 256), 1])),
    jnp.float32(0),
    jax.random.key(2),
)
batches = shuffled()
seconds = []
for _ in range(1 + arguments.rounds):
    order = np.stack([next(batches) for _ in range(arguments.steps)])
    began = time.perf_counter()
    state, losses = jax.block_until_ready(round_of_steps(state, order))
    seconds.append(time.perf_counter() - began)
median = statistics.median(seconds[1:])
print(json.dumps({
    "program": "jax",
    "mode": "scan",
    "model": "tutorial",
    "batch": BATCH,
    "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    "images_per_s": round(arguments.steps * BATCH / median, 1),
    "ms_per_step": round(median / arguments.steps * 1e3, 4),
    "peak_rss_mb": round(peak_megabytes(), 1),
}))
