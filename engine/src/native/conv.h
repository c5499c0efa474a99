// A convolution, possibly transposed, with its activation, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"
#include "conv_kernel.h"

namespace sparring {

// activation(conv(x, W) + b), with x [n, in, h, w], W [out, in/groups, k, k] ([in, out/groups, k, k] if transposed) and
// b [out], or undefined for none.
at::Tensor conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOptions& options,
                Activation activation, double slope);

}  // namespace sparring
