// A residual block as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

struct BlockWeights {
  // [inner, channels, 1, 1] and [inner]
  at::Tensor expand, expand_bias;
  // [inner, inner/groups, k, k] with an odd k, and [inner]
  at::Tensor grouped, grouped_bias;
  // [channels, inner, 1, 1]
  at::Tensor project;
};

// x + project · a(grouped ∗ a(expand · x + bias) + bias), with x [n, channels, h, w]; a is the activation.
at::Tensor residual_block(const at::Tensor& x, const BlockWeights& weights, Activation activation, double slope);

}  // namespace sparring
