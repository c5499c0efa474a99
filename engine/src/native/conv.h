// A convolution, possibly transposed, with its activation, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

// How the kernel moves over the pictures; the same vertically and horizontally.
struct ConvOptions {
  int64_t stride, padding;
  bool transposed;
};

// activation(conv(x, W) + b), with x [n, in, h, w], W [out, in, k, k] ([in, out, k, k] if transposed) and b [out].
at::Tensor conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOptions& options,
                Activation activation, double slope);

}  // namespace sparring
