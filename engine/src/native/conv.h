// A convolution, or a transposed one, and what is done to its outputs, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

// How the kernel goes over the pictures; the same down and across.
struct ConvOptions {
  int64_t stride, padding;
  bool transposed;
};

// activation(conv(x, W) + b), with x [n, in, h, w], W [out, in, k, k] ([in, out, k, k] if transposed) and b [out].
at::Tensor conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOptions& options,
                Activation activation, double slope);

}  // namespace sparring
