// Pictures in another order in memory, moved by the team: libtorch moves them on one thread, number by number.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// to[j][i] = from[i][j], with the given floats between rows.
void turn(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t columns);

// Pictures [n, c, h, w] with the channels of a pixel side by side: `contiguous` of channels last. Differentiable.
at::Tensor channels_last(const at::Tensor& pictures);

// [n, c, h, w] to [n, c·h·w], the order of numbers that of `flatten`. Differentiable any number of times.
at::Tensor flattened(const at::Tensor& pictures);

// The reverse, with the channels of a pixel side by side in memory. Differentiable any number of times.
at::Tensor unflattened(const at::Tensor& numbers, int64_t channels, int64_t height, int64_t width);

}  // namespace sparring
