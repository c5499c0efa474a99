// Pictures of twice and of half the side.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// [n, c, h, w] to [n, c, 2h, 2w], bilinear, as at::upsample_bilinear2d without aligned corners. Differentiable.
at::Tensor upsampled(const at::Tensor& pictures);

// [n, c, 2h, 2w] to [n, c, h, w]: filtered by [1 3 3 1] / 8 in both directions, with the edge repeated. Differentiable.
at::Tensor downsampled(const at::Tensor& pictures);

}  // namespace sparring
