// Matrix products, computed by the team.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// left · right, with left [m, k] and right [k, n]: [m, n]. Differentiable any number of times.
at::Tensor matrix_product(const at::Tensor& left, const at::Tensor& right);

}  // namespace sparring
