// A linear layer with its activation, as one operation of autograd.
#pragma once
#include <ATen/core/Tensor.h>

#include "activation.h"

namespace sparring {

// activation(x Wᵀ + b), with x [n, in], W [out, in] and b [out]: [n, out].
at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                 double slope);

}  // namespace sparring
