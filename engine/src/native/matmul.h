// Products of whole matrices over the team.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// left · right, with left [m, k] and right [k, n]: [m, n]. It can be differentiated as often as wanted.
at::Tensor matrix_product(const at::Tensor& left, const at::Tensor& right);

}  // namespace sparring
