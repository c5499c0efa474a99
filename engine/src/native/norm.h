// Batch normalisation with its activation, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

// Parameters and running statistics, [channels] each.
struct BatchNormState {
  at::Tensor weight, bias, running_mean, running_var;
};

// activation((x - mean) / sqrt(var + 1e-5) * weight + bias), with x [n, channels] or [n, channels, h, w] (Ioffe and
// Szegedy 2015). In `training`, mean and variance are those of x over all dimensions but the channels, and the running
// statistics move a tenth of the way towards them (the variance unbiased). Otherwise the running statistics are used.
// As in PyTorch.
at::Tensor batch_norm(const at::Tensor& x, const BatchNormState& norm, bool training, Activation activation, double slope);

}  // namespace sparring
