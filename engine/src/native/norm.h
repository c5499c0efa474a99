// Batch normalisation and what is done to its outputs, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

// What a batch norm learns, and what it has seen; [channels] each.
struct Norm {
  at::Tensor weight, bias, running_mean, running_var;
};

// activation((x - mean) / sqrt(var + 1e-5) * weight + bias), with x [n, channels] or [n, channels, h, w]. In `training`
// mean and variance are those of x over all but the channels, and the running ones move towards them by a tenth, that
// of the variance unbiased; else they are the running ones. (Ioffe and Szegedy 2015; numbers as in PyTorch.)
at::Tensor batch_norm(const at::Tensor& x, const Norm& norm, bool training, Activation activation, double slope);

}  // namespace sparring
